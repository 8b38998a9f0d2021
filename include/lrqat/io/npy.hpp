// SPDX-License-Identifier: MIT
// io/npy.hpp: reads NumPy's .npy files.
#ifndef LRQAT_IO_NPY_HPP
#define LRQAT_IO_NPY_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/io/detail/bytes.hpp>
#include <lrqat/io/mapped_file.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lrqat {

/// An n-dimensional array, row-major; an empty shape is one number.
template <class T>
struct NpyArray {
  std::vector<std::size_t> shape;
  std::vector<T> values;
};

namespace detail {

/// The header of an .npy file: a Python dictionary of exactly three entries, in any order:
/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class NpyHeader {
 public:
  NpyHeader(std::string_view text, const std::string& where) : text_(text), where_(where) {
    require("{");
    for (int entry = 0; entry < 3; ++entry) {
      const std::string_view key = quoted();
      require(":");
      if (key == "descr" && dtype.empty()) {
        dtype = quoted();
      } else if (key == "fortran_order" && !has_order_) {
        expects(accept("False"), where_, ": only row-major (C order) arrays are supported");
        has_order_ = true;
      } else if (key == "shape" && !has_shape_) {
        read_shape();
        has_shape_ = true;
      } else {
        fail(where_, ": header: unexpected key ", printable(key));
      }
      if (!accept(",")) break;
    }
    require("}");
    skip_space();
    expects(position_ == text_.size() && has_order_ && has_shape_ && !dtype.empty(), where_,
            ": header: descr, fortran_order and shape, once each, and nothing else are needed");
  }

  std::string_view dtype;
  std::vector<std::size_t> shape;

 private:
  static constexpr std::size_t max_rank = 32;  // as in NumPy

  void skip_space() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n'))
      ++position_;
  }
  bool accept(std::string_view word) {
    skip_space();
    const bool is_next = text_.substr(position_, word.size()) == word;
    if (is_next) position_ += word.size();
    return is_next;
  }
  void require(std::string_view word) {
    expects(accept(word), where_, ": header: ", word, " is missing at character ", position_);
  }
  std::string_view quoted() {
    require("'");
    const std::size_t end = text_.find('\'', position_);
    expects(end != std::string_view::npos, where_, ": header: a quote does not end");
    const std::string_view inside = text_.substr(position_, end - position_);
    position_ = end + 1;
    return inside;
  }
  void read_shape() {
    require("(");
    while (!accept(")")) {
      expects(shape.size() < max_rank, where_, ": header: more than ", max_rank, " dimensions");
      shape.push_back(number());
      const bool has_comma = accept(",");
      // "(3)" is a number in Python, not a shape.
      expects(has_comma || shape.size() > 1, where_, ": header: the shape is not a tuple");
      if (has_comma) continue;
      require(")");
      return;
    }
  }
  std::size_t number() {
    skip_space();
    const std::size_t begin = position_;
    std::size_t value = 0;
    for (; position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9';
         ++position_)
      value = saturating_sum(
          {saturating_product({value, 10}), static_cast<std::size_t>(text_[position_] - '0')});
    expects(position_ > begin, where_, ": header: a number is missing at character ", position_);
    return value;
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t position_ = 0;
  bool has_order_ = false, has_shape_ = false;
};

/// "<f4" for float, "|i1" for int8_t, ...
template <class T>
std::string npy_dtype() {
  const char kind = std::floating_point<T> ? 'f' : std::signed_integral<T> ? 'i' : 'u';
  return {sizeof(T) == 1 ? '|' : '<', kind, static_cast<char>('0' + sizeof(T))};
}

}  // namespace detail

/// Reads a little-endian, row-major array of exactly this element type: float, double or a
/// fixed-width integer; formats 1.0 and 2.0. Anything else, also a file longer or shorter than its
/// shape says, is an error naming the file.
template <class T>
NpyArray<T> read_npy(const std::filesystem::path& path) {
  static_assert(std::floating_point<T> || std::integral<T>);
  const MappedFile file(path);
  const std::string where = path.string();
  detail::ByteReader reader(file.bytes(), where);
  constexpr std::string_view magic = "\x93NUMPY";
  expects(file.text().substr(0, magic.size()) == magic, where, ": is no .npy file");
  reader.take(magic.size(), "the magic string");
  const auto major = reader.number<std::uint8_t>("the version");
  const auto minor = reader.number<std::uint8_t>("the version");
  expects((major == 1 || major == 2) && minor == 0, where, ": format ", major, ".", minor,
          " is not supported, only 1.0 and 2.0");
  const std::size_t header_size = major == 1 ? reader.number<std::uint16_t>("the header length")
                                             : reader.number<std::uint32_t>("the header length");
  reader.take(header_size, "the header");
  const detail::NpyHeader header(file.text().substr(reader.position() - header_size, header_size),
                                 where);
  expects(header.dtype == detail::npy_dtype<T>(), where, ": holds ",
          detail::printable(header.dtype), ", needed is ", detail::npy_dtype<T>());

  std::size_t count = 1;
  for (const std::size_t extent : header.shape)
    count = std::min(count, extent) == 0 ? 0 : detail::saturating_product({count, extent});
  expects(detail::saturating_product({count, sizeof(T)}) == reader.left(), where, ": shape ",
          detail::shape_text(header.shape), " of ", sizeof(T), " bytes each does not fill ",
          reader.left(), " bytes");
  NpyArray<T> array{header.shape, std::vector<T>(count)};
  reader.numbers(std::span<T>(array.values), "the data");
  return array;
}

}  // namespace lrqat

#endif  // LRQAT_IO_NPY_HPP
