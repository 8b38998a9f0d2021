// SPDX-License-Identifier: MIT
// io/gguf.hpp: GGUF files, version 3: typed metadata, and tensors in ggml's types.
#ifndef LRQAT_IO_GGUF_HPP
#define LRQAT_IO_GGUF_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/io/atomic_file.hpp>
#include <lrqat/io/detail/bytes.hpp>
#include <lrqat/io/ggml_blocks.hpp>
#include <lrqat/io/mapped_file.hpp>

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lrqat {

struct GgufArray;

/// A value of the metadata. The place of an alternative is the number of its type in the files.
using GgufValue = std::variant<std::uint8_t, std::int8_t, std::uint16_t, std::int16_t,
                               std::uint32_t, std::int32_t, float, bool, std::string, GgufArray,
                               std::uint64_t, std::int64_t, double>;

/// A list of values of one type; lists of lists, which no file is known to hold, are left out.
struct GgufArray {
  std::variant<std::vector<std::uint8_t>, std::vector<std::int8_t>, std::vector<std::uint16_t>,
               std::vector<std::int16_t>, std::vector<std::uint32_t>, std::vector<std::int32_t>,
               std::vector<float>, std::vector<bool>, std::vector<std::string>, std::monostate,
               std::vector<std::uint64_t>, std::vector<std::int64_t>, std::vector<double>>
      values;
  bool operator==(const GgufArray&) const = default;
};

using GgufMetadata = std::map<std::string, GgufValue>;

/// A tensor's entry. Shapes are row-major, outermost first, as everywhere in the library: (out, in)
/// for a matrix; the files have them the other way round.
struct GgufTensor {
  std::string name;
  GgmlType type = GgmlType::f32;
  std::vector<std::size_t> shape;
  std::size_t begin = 0, end = 0;  // bytes from the start of the data
};

/// A tensor to be stored; `bytes` is called once, when its turn has come.
struct GgufTensorToWrite {
  std::string name;
  GgmlType type = GgmlType::f32;
  std::vector<std::size_t> shape;
  std::function<AlignedVector<std::byte>()> bytes;
};

namespace detail {

inline constexpr std::uint32_t gguf_version = 3;
inline constexpr std::size_t gguf_default_alignment = 32;
inline constexpr std::string_view gguf_magic = "GGUF";

/// Bytes of a tensor; SIZE_MAX where they do not fit or rows are no whole blocks.
inline std::size_t ggml_bytes(GgmlType type, std::span<const std::size_t> shape) {
  const BlockSize block = block_size(type);
  if (shape.empty() || shape.back() % block.weights != 0) return SIZE_MAX;
  std::size_t bytes = saturating_product({shape.back() / block.weights, block.bytes});
  for (const std::size_t extent : shape.first(shape.size() - 1))
    bytes = saturating_product({bytes, extent});
  return bytes;
}

constexpr std::size_t round_up(std::size_t size, std::size_t alignment) {
  return size > SIZE_MAX - (alignment - 1) ? SIZE_MAX
                                           : (size + alignment - 1) / alignment * alignment;
}

/// Reads what precedes the tensors' data. Nothing is allocated for a count that the rest of the
/// file could not hold.
class GgufParser {
 public:
  GgufParser(std::span<const std::byte> bytes, const std::string& where)
      : where_(where), reader_(bytes, where) {}

  void header() {
    const auto magic = reader_.take(gguf_magic.size(), "the header");
    expects(std::equal(magic.begin(), magic.end(), std::as_bytes(std::span(gguf_magic)).begin()),
            where_, ": does not begin with GGUF: no GGUF file");
    const auto version = reader_.number<std::uint32_t>("the header");
    expects(version % 65536 != 0 || version == 0, where_, ": is a big-endian GGUF file; only ",
            "little-endian ones are read");
    expects(version == gguf_version, where_, ": is GGUF version ", version, "; only version ",
            gguf_version, " is read");
    tensor_count_ = reader_.number<std::uint64_t>("the header");
    value_count_ = reader_.number<std::uint64_t>("the header");
    // The shortest entries: name length, dimensions, type and offset; key length, type and value.
    expects(tensor_count_ <= reader_.left() / (8 + 4 + 8 + 4 + 8), where_, ": ", tensor_count_,
            " tensors do not fit the file");
    expects(value_count_ <= reader_.left() / (8 + 4 + 1), where_, ": ", value_count_,
            " metadata values do not fit the file");
  }

  GgufMetadata metadata() {
    GgufMetadata all;
    for (std::uint64_t i = 0; i < value_count_; ++i) {
      const std::string key = text("a key of the metadata");
      expects(!key.empty(), where_, ": a key of the metadata is empty");
      what_ = "the value of " + printable(key);
      GgufValue value = value_of(reader_.number<std::uint32_t>(what_));
      expects(all.emplace(key, std::move(value)).second, where_, ": the key ", printable(key),
              " appears twice");
    }
    return all;
  }

  std::vector<GgufTensor> tensors() {
    std::vector<GgufTensor> all;
    for (std::uint64_t i = 0; i < tensor_count_; ++i) all.push_back(tensor());
    return all;
  }

  std::size_t position() const { return reader_.position(); }

 private:
  std::string text(std::string_view what) {
    const auto length = reader_.number<std::uint64_t>(what);
    expects(length <= reader_.left(), where_, ": ends inside ", what, ": a text of ", length,
            " bytes at byte ", reader_.position(), ", ", reader_.left(), " left");
    const auto bytes = reader_.take(static_cast<std::size_t>(length), what);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  template <class T>
  T element() {
    if constexpr (std::is_same_v<T, std::string>) {
      return text(what_);
    } else if constexpr (std::is_same_v<T, bool>) {
      const auto byte = reader_.number<std::uint8_t>(what_);
      expects(byte <= 1, where_, ": ", what_, ": ", byte, " is neither false nor true");
      return byte == 1;
    } else {
      return reader_.number<T>(what_);
    }
  }
  template <class T>
  static constexpr std::size_t smallest = std::is_same_v<T, std::string> ? 8 : sizeof(T);

  /// The alternative of a variant whose place is `type`.
  template <class Variant, std::size_t Place = 0, class Read>
  Variant alternative(std::uint32_t type, const Read& read) {
    if constexpr (Place < std::variant_size_v<Variant>) {
      if (type == Place)
        return Variant(std::in_place_index<Place>,
                       read(std::type_identity<std::variant_alternative_t<Place, Variant>>()));
      return alternative<Variant, Place + 1>(type, read);
    } else {
      fail(where_, ": ", what_, ": there is no type ", type);
    }
  }

  GgufValue value_of(std::uint32_t type) {
    return alternative<GgufValue>(type, [this]<class T>(std::type_identity<T>) {
      if constexpr (std::is_same_v<T, GgufArray>)
        return array();
      else
        return element<T>();
    });
  }

  GgufArray array() {
    const auto type = reader_.number<std::uint32_t>(what_);
    const auto count = reader_.number<std::uint64_t>(what_);
    return {alternative<decltype(GgufArray::values)>(type, [&]<class L>(std::type_identity<L>) {
      if constexpr (std::is_same_v<L, std::monostate>) {
        fail(where_, ": ", what_, ": lists of lists are not read");
        return L();
      } else {
        using T = typename L::value_type;
        expects(count <= reader_.left() / smallest<T>, where_, ": ", what_, ": ", count,
                " elements do not fit the ", reader_.left(), " bytes that are left");
        L list;
        list.reserve(static_cast<std::size_t>(count));
        for (std::uint64_t i = 0; i < count; ++i) list.push_back(element<T>());
        return list;
      }
    })};
  }

  GgufTensor tensor() {
    GgufTensor tensor;
    tensor.name = text("a tensor's name");
    expects(!tensor.name.empty(), where_, ": a tensor has no name");
    const std::string name = "tensor " + printable(tensor.name), at = where_ + ": " + name;
    const auto dimensions = reader_.number<std::uint32_t>(name);
    expects(dimensions >= 1 && dimensions <= 4, at, ": has ", dimensions,
            " dimensions, 1 to 4 are possible");
    for (std::uint32_t i = 0; i < dimensions; ++i) {
      const auto extent = reader_.number<std::uint64_t>(name);
      expects(extent >= 1 && extent <= INT64_MAX, at, ": a dimension is ", extent);
      tensor.shape.insert(tensor.shape.begin(), static_cast<std::size_t>(extent));
    }
    const auto type = reader_.number<std::uint32_t>(name);
    expects(is_known(type), at, ": is of type ", ggml_type_name(type),
            "; F32, F16, Q4_0, Q4_1 and Q8_0 are read");
    tensor.type = static_cast<GgmlType>(type);
    const std::size_t block = block_size(tensor.type).weights;
    expects(tensor.shape.back() % block == 0, at, ": rows of ", tensor.shape.back(),
            " weights are no whole blocks of ", block);
    const std::size_t bytes = ggml_bytes(tensor.type, tensor.shape);
    const auto offset = reader_.number<std::uint64_t>(name);
    tensor.begin = static_cast<std::size_t>(offset);
    tensor.end = saturating_sum({tensor.begin, bytes});
    return tensor;
  }

  std::string where_, what_;
  ByteReader reader_;
  std::uint64_t tensor_count_ = 0, value_count_ = 0;
};

}  // namespace detail

/// A GGUF file in memory. The constructor checks everything: lengths, types, keys and names given
/// twice, alignment, dimensions, and that tensors lie inside the file and apart. Errors name the
/// file, and the key, the tensor or the byte. A type that is not among GgmlType is an error by its
/// name.
class GgufFile {
 public:
  /// Maps the file; only the pages that are read are loaded.
  explicit GgufFile(const std::filesystem::path& path)
      : file_(MappedFile(path)), where_(path.string()) {
    parse(file_->bytes());
  }
  /// From bytes that outlive this object; `where` stands for the file's name in errors.
  GgufFile(std::span<const std::byte> bytes, std::string where) : where_(std::move(where)) {
    parse(bytes);
  }

  const std::string& where() const { return where_; }
  const GgufMetadata& metadata() const { return metadata_; }
  /// In the order of the file.
  const std::vector<GgufTensor>& tensors() const { return tensors_; }

  /// The value of a key, or null where there is none. @throws Error where it is of another type
  template <class T>
  const T* find(const std::string& key) const {
    const auto found = metadata_.find(key);
    if (found == metadata_.end()) return nullptr;
    const T* const value = std::get_if<T>(&found->second);
    expects(value != nullptr, where_, ": ", key, " is of another type than expected");
    return value;
  }
  /// The same for lists.
  template <class T>
  const std::vector<T>* find_list(const std::string& key) const {
    const GgufArray* const array = find<GgufArray>(key);
    if (array == nullptr) return nullptr;
    const auto* const list = std::get_if<std::vector<T>>(&array->values);
    expects(list != nullptr, where_, ": ", key, " is a list of another type than expected");
    return list;
  }
  /// An integer of any type that is not negative. @throws Error where there is none under the key
  std::uint64_t integer(const std::string& key) const {
    const auto found = metadata_.find(key);
    expects(found != metadata_.end(), where_, ": ", key, " is missing");
    return std::visit(
        [&]<class T>(const T& value) -> std::uint64_t {
          if constexpr (std::integral<T> && !std::is_same_v<T, bool>) {
            expects(value >= 0, where_, ": ", key, " is negative");
            return static_cast<std::uint64_t>(value);
          } else {
            fail(where_, ": ", key, " is no integer");
          }
        },
        found->second);
  }
  bool contains(const std::string& key) const { return metadata_.count(key) != 0; }

  bool has_tensor(const std::string& name) const { return place_.count(name) != 0; }
  const GgufTensor& tensor(const std::string& name) const {
    const auto found = place_.find(name);
    expects(found != place_.end(), where_, ": no tensor ", detail::printable(name));
    return tensors_[found->second];
  }
  /// At any alignment; valid as long as this object, or the bytes that it was made from, live.
  std::span<const std::byte> bytes(const GgufTensor& tensor) const {
    return data_.subspan(tensor.begin, tensor.end - tensor.begin);
  }

  /// A tensor of exactly this shape as float32, which is exact for every type. Another shape, a
  /// NaN or an infinite element is an error.
  AlignedVector<float> floats(const std::string& name,
                              const std::vector<std::size_t>& shape) const {
    const GgufTensor& found = tensor(name);
    expects(found.shape == shape, where_, ": tensor ", detail::printable(name), ": has shape ",
            detail::shape_text(found.shape), ", needed is ", detail::shape_text(shape));
    const detail::BlockSize block = detail::block_size(found.type);
    AlignedVector<float> values(bytes(found).size() / block.bytes * block.weights);
    detail::dequantize_ggml(found.type, bytes(found), values);
    detail::expect_finite(values, where_, detail::printable(name));
    return values;
  }

 private:
  void parse(std::span<const std::byte> bytes) {
    detail::GgufParser parser(bytes, where_);
    parser.header();
    metadata_ = parser.metadata();
    tensors_ = parser.tensors();
    std::size_t alignment = detail::gguf_default_alignment;
    if (const auto* const own = find<std::uint32_t>("general.alignment")) {
      expects(std::has_single_bit(*own), where_, ": general.alignment is ", *own,
              ", no power of two");
      alignment = *own;
    }
    for (std::size_t i = 0; i < tensors_.size(); ++i)
      expects(place_.emplace(tensors_[i].name, i).second, where_, ": tensor ",
              detail::printable(tensors_[i].name), " appears twice");
    if (tensors_.empty()) return;  // a vocabulary alone: nothing follows, not even padding
    const std::size_t start = detail::round_up(parser.position(), alignment);
    expects(start <= bytes.size(), where_, ": ends before the data of its tensors, at byte ",
            bytes.size());
    data_ = bytes.subspan(start);
    check_ranges(alignment);
  }

  void check_ranges(std::size_t alignment) const {
    std::vector<const GgufTensor*> order;
    for (const GgufTensor& each : tensors_) order.push_back(&each);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
      return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
    });
    std::size_t position = 0;
    for (const GgufTensor* each : order) {
      const std::string at = where_ + ": tensor " + detail::printable(each->name);
      expects(each->begin % alignment == 0, at, ": its offset ", each->begin,
              " is no multiple of the alignment ", alignment);
      expects(each->end <= data_.size(), at, ": ", name_of(each->type), " of shape ",
              detail::shape_text(each->shape), " from byte ", each->begin, " on is not inside the ",
              data_.size(), " bytes of data");
      expects(each->begin >= position, at, ": overlaps another one: it begins at ", each->begin,
              ", the one before ends at ", position);
      position = each->end;
    }
  }

  std::optional<MappedFile> file_;
  std::string where_;
  std::span<const std::byte> data_;
  GgufMetadata metadata_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string, std::size_t> place_;
};

}  // namespace lrqat

#endif  // LRQAT_IO_GGUF_HPP
