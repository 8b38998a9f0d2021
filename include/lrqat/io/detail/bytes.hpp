// SPDX-License-Identifier: MIT
// io/detail/bytes.hpp: numbers in files: little endian, unaligned, lengths checked first.
#ifndef LRQAT_IO_DETAIL_BYTES_HPP
#define LRQAT_IO_DETAIL_BYTES_HPP

#include <lrqat/core/expects.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace lrqat::detail {

static_assert(std::endian::native == std::endian::little,
              "io: every format here is little endian and is copied from and to memory as it is");

/// SIZE_MAX stands for "more than that", which no file's size can equal.
inline std::size_t saturating_product(std::initializer_list<std::size_t> factors) {
  std::size_t product = 1;
  bool overflows = false;
  for (const std::size_t factor : factors) {
    if (factor == 0) return 0;
    overflows = __builtin_mul_overflow(product, factor, &product) || overflows;
  }
  return overflows ? SIZE_MAX : product;
}
inline std::size_t saturating_sum(std::initializer_list<std::size_t> terms) {
  std::size_t sum = 0;
  for (const std::size_t term : terms) {
    if (__builtin_add_overflow(sum, term, &sum)) return SIZE_MAX;
  }
  return sum;
}

/// Takes numbers from the front of a file's bytes; errors name the file and the byte.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string file)
      : bytes_(bytes), file_(std::move(file)) {}

  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }

  std::span<const std::byte> take(std::size_t count, std::string_view what) {
    expects(count <= left(), file_, ": ends inside ", what, ": ", count, " bytes needed at byte ",
            position_, ", ", left(), " left");
    const std::span<const std::byte> taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }
  template <class Number>
  Number number(std::string_view what) {
    Number value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }
  /// Fills `target` with the numbers that follow.
  template <class Number>
  void numbers(std::span<Number> target, std::string_view what) {
    const std::span<const std::byte> source = take(target.size_bytes(), what);
    if (!source.empty()) std::memcpy(target.data(), source.data(), source.size());
  }

 private:
  std::span<const std::byte> bytes_;
  std::string file_;
  std::size_t position_ = 0;
};

template <class Number>
void append_number(std::string& bytes, Number value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Weights must be finite; the error names file, tensor and the element's index.
inline void expect_finite(std::span<const float> values, std::string_view file,
                          std::string_view tensor) {
  for (std::size_t i = 0; i < values.size(); ++i)
    expects(std::isfinite(values[i]), file, ": tensor ", tensor, ": element ", i, " is ",
            values[i]);
}

/// Text from a file, fit for an error message: of bounded length, without control characters.
inline std::string printable(std::string_view text, std::size_t longest = 120) {
  std::string result(text.substr(0, longest));
  for (char& c : result)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return text.size() > longest ? result + "..." : result;
}

/// "[64, 172]"
inline std::string shape_text(std::span<const std::size_t> shape) {
  constexpr std::size_t longest = 16;
  std::string text = "[";
  for (const std::size_t extent : shape.first(std::min(shape.size(), longest)))
    text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + (shape.size() > longest ? ", ...]" : "]");
}

}  // namespace lrqat::detail

#endif  // LRQAT_IO_DETAIL_BYTES_HPP
