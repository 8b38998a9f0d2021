// SPDX-License-Identifier: MIT
// io/safetensors.hpp: named tensors in a .safetensors file: 8 bytes header length, JSON, data.
#ifndef LRQAT_IO_SAFETENSORS_HPP
#define LRQAT_IO_SAFETENSORS_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/bf16.hpp>
#include <lrqat/io/atomic_file.hpp>
#include <lrqat/io/detail/bytes.hpp>
#include <lrqat/io/detail/json.hpp>
#include <lrqat/io/mapped_file.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lrqat {

/// Where a tensor lies and what its bytes mean. dtype is one of F64 F32 F16 BF16 I8 U8 I16 U16 I32
/// U32 I64 U64 BOOL; offsets are in bytes from the start of the data section.
struct TensorInfo {
  std::string dtype;
  std::vector<std::size_t> shape;  // empty: one number
  std::size_t begin = 0, end = 0;
};

/// A tensor to be stored: row-major, little endian.
struct TensorToWrite {
  std::string name, dtype;
  std::vector<std::size_t> shape;
  std::span<const std::byte> bytes;
};

/// A tensor whose bytes are made when its turn to be written has come, so that a large model is
/// never in memory twice.
struct TensorToMake {
  std::string name, dtype;
  std::vector<std::size_t> shape;
  std::function<AlignedVector<std::byte>()> bytes;
};

namespace detail {

/// Bytes of one element; 0 for a dtype that is not known.
inline std::size_t dtype_size(std::string_view dtype) {
  constexpr std::pair<std::string_view, std::size_t> known[] = {
      {"F64", 8}, {"F32", 4}, {"F16", 2}, {"BF16", 2}, {"I8", 1},  {"U8", 1},  {"I16", 2},
      {"U16", 2}, {"I32", 4}, {"U32", 4}, {"I64", 8},  {"U64", 8}, {"BOOL", 1}};
  for (const auto& [name, size] : known)
    if (name == dtype) return size;
  return 0;
}

/// SIZE_MAX when it does not fit; then no number of bytes equals it.
inline std::size_t tensor_size(const std::vector<std::size_t>& shape, std::size_t element_size) {
  std::size_t size = element_size;
  for (const std::size_t extent : shape) {
    if (extent == 0) return 0;
    size = saturating_product({size, extent});
  }
  return size;
}

/// The list of unsigned integers under `key`.
inline std::vector<std::size_t> size_list(const nlohmann::json& tensor, const char* key,
                                          const std::string& where) {
  const auto found = tensor.find(key);
  expects(found != tensor.end() && found->is_array(), where, ": ", key, " is not a list");
  std::vector<std::size_t> sizes;
  sizes.reserve(found->size());
  for (const nlohmann::json& element : *found) {
    expects(element.is_number_unsigned(), where, ": ", key, " holds something that is not an ",
            "unsigned integer");
    sizes.push_back(element.get<std::size_t>());
  }
  return sizes;
}

}  // namespace detail

/// A memory-mapped .safetensors file. The constructor checks everything: header length, JSON,
/// dtypes, shapes against byte ranges, ranges against the file, no overlap, no hole, no trailing
/// byte. Errors name the file and the tensor. Only the pages that are read are loaded.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(std::filesystem::path path) : file_(std::move(path)) {
    const std::string where = file_.path().string();
    detail::ByteReader reader(file_.bytes(), where);
    const auto header_size = reader.number<std::uint64_t>("the header length");
    expects(header_size <= std::min(reader.left(), max_header_size), where,
            ": the header length is ", header_size, " bytes, ", reader.left(),
            " follow it, and at most ", max_header_size, " are allowed");
    const auto header = reader.take(static_cast<std::size_t>(header_size), "the header");
    data_ = file_.bytes().subspan(reader.position());
    const nlohmann::json root = detail::parse_json_object(
        {reinterpret_cast<const char*>(header.data()), header.size()}, where + ": header");
    for (const auto& [name, value] : root.items()) {
      if (name == "__metadata__")
        read_metadata(value);
      else
        tensors_.emplace(name, read_tensor(name, value));
    }
    check_ranges();
  }

  const std::filesystem::path& path() const { return file_.path(); }
  /// Free text that the writer attached.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// Sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    all.reserve(tensors_.size());
    for (const auto& entry : tensors_) all.push_back(entry.first);
    return all;
  }
  bool contains(const std::string& name) const { return tensors_.count(name) != 0; }
  /// A name that is not there is an error.
  const TensorInfo& at(const std::string& name) const {
    const auto found = tensors_.find(name);
    expects(found != tensors_.end(), path().string(), ": no tensor ", detail::printable(name));
    return found->second;
  }
  /// Row-major, little endian, at any alignment; valid as long as this object lives.
  std::span<const std::byte> bytes(const std::string& name) const {
    const TensorInfo& tensor = at(name);
    return data_.subspan(tensor.begin, tensor.end - tensor.begin);
  }

  /// An F32, F16 or BF16 tensor of exactly this shape as float32. Another shape or dtype, a NaN
  /// or an infinite element is an error.
  AlignedVector<float> floats(const std::string& name,
                              const std::vector<std::size_t>& shape) const {
    const TensorInfo& tensor = at(name);
    const std::string where = path().string() + ": tensor " + detail::printable(name);
    expects(tensor.shape == shape, where, ": has shape ", detail::shape_text(tensor.shape),
            ", needed is ", detail::shape_text(shape));
    const std::span<const std::byte> source = bytes(name);
    AlignedVector<float> values(source.size() / detail::dtype_size(tensor.dtype));
    if (tensor.dtype == "F32") {
      if (!values.empty()) std::memcpy(values.data(), source.data(), source.size());
    } else if (tensor.dtype == "F16") {
      widen<half>(source, values);
    } else {
      expects(tensor.dtype == "BF16", where, ": has dtype ", tensor.dtype,
              ", needed is F32, F16 or BF16");
      widen<bf16>(source, values);
    }
    detail::expect_finite(values, path().string(), detail::printable(name));
    return values;
  }

 private:
  static constexpr std::size_t max_header_size = 100'000'000;  // as other readers of the format

  template <class Narrow>
  static void widen(std::span<const std::byte> source, AlignedVector<float>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      Narrow narrow;
      std::memcpy(&narrow.bits, source.data() + i * sizeof narrow.bits, sizeof narrow.bits);
      values[i] = static_cast<float>(narrow);
    }
  }

  void read_metadata(const nlohmann::json& value) {
    expects(value.is_object(), path().string(), ": __metadata__ is not an object");
    for (const auto& [key, text] : value.items()) {
      expects(text.is_string(), path().string(), ": __metadata__: ", detail::printable(key),
              " is not a string");
      metadata_.emplace(key, text.get<std::string>());
    }
  }

  TensorInfo read_tensor(const std::string& name, const nlohmann::json& value) const {
    const std::string where = path().string() + ": tensor " + detail::printable(name);
    expects(value.is_object(), where, ": its entry is not an object");
    const auto dtype = value.find("dtype");
    expects(dtype != value.end() && dtype->is_string(), where, ": has no dtype");
    TensorInfo tensor;
    tensor.dtype = dtype->get<std::string>();
    const std::size_t element_size = detail::dtype_size(tensor.dtype);
    expects(element_size != 0, where, ": unknown dtype ", detail::printable(tensor.dtype));
    tensor.shape = detail::size_list(value, "shape", where);
    const auto range = detail::size_list(value, "data_offsets", where);
    expects(range.size() == 2 && range[0] <= range[1] && range[1] <= data_.size(), where,
            ": data_offsets ", detail::shape_text(range), " are no range within the ", data_.size(),
            " bytes of data");
    tensor.begin = range[0];
    tensor.end = range[1];
    const std::size_t size = detail::tensor_size(tensor.shape, element_size);
    expects(size == tensor.end - tensor.begin, where, ": ", tensor.dtype, " of shape ",
            detail::shape_text(tensor.shape), " does not fill its ", tensor.end - tensor.begin,
            " bytes");
    for (const auto& entry : value.items())
      expects(entry.key() == "dtype" || entry.key() == "shape" || entry.key() == "data_offsets",
              where, ": unknown key ", detail::printable(entry.key()));
    return tensor;
  }

  /// The tensors must tile the data section: each begins where another ends.
  void check_ranges() const {
    std::vector<const std::pair<const std::string, TensorInfo>*> order;
    order.reserve(tensors_.size());
    for (const auto& entry : tensors_) order.push_back(&entry);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
      return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
    });
    std::size_t position = 0;
    for (const auto* entry : order) {
      expects(entry->second.begin == position, path().string(), ": tensor ",
              detail::printable(entry->first),
              entry->second.begin < position ? ": overlaps another one: " : ": follows a hole: ",
              "it begins at ", entry->second.begin, ", the one before ends at ", position);
      position = entry->second.end;
    }
    expects(position == data_.size(), path().string(), ": ", data_.size() - position,
            " bytes after the last tensor");
  }

  MappedFile file_;
  std::span<const std::byte> data_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, TensorInfo> tensors_;
};

namespace detail {

template <class Tensor>
void write_safetensors_file(const std::filesystem::path& path, std::span<const Tensor> tensors,
                            const std::map<std::string, std::string>& metadata) {
  const std::string where = path.string();
  std::vector<const Tensor*> order;
  for (const Tensor& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return dtype_size(a->dtype) > dtype_size(b->dtype);
  });
  const auto expect_size = [&](const Tensor& tensor, std::size_t size) {
    expects(size == tensor_size(tensor.shape, dtype_size(tensor.dtype)), where, ": tensor ",
            tensor.name, ": ", tensor.dtype, " of shape ", shape_text(tensor.shape), " cannot be ",
            size, " bytes");
  };

  nlohmann::json root = nlohmann::json::object();
  if (!metadata.empty()) root["__metadata__"] = metadata;
  std::size_t position = 0;
  for (const Tensor* tensor : order) {
    const std::size_t element_size = dtype_size(tensor->dtype);
    expects(element_size != 0, where, ": tensor ", tensor->name, ": unknown dtype ", tensor->dtype);
    const std::size_t size = tensor_size(tensor->shape, element_size);
    if constexpr (std::is_same_v<Tensor, TensorToWrite>) expect_size(*tensor, tensor->bytes.size());
    expects(tensor->name != "__metadata__" && !root.contains(tensor->name), where, ": tensor ",
            tensor->name, ": this name is taken");
    const std::size_t end = position + size;
    root[tensor->name] = {
        {"dtype", tensor->dtype}, {"shape", tensor->shape}, {"data_offsets", {position, end}}};
    position = end;
  }

  std::string header;
  try {
    header = root.dump();
  } catch (const nlohmann::json::exception& error) {
    fail(where, ": a name or the metadata is not UTF-8: ", error.what());
  }
  header.append((8 - header.size() % 8) % 8, ' ');  // the data section starts at a multiple of 8
  std::string length;
  append_number(length, std::uint64_t{header.size()});

  AtomicFile file(path);
  file.write(length);
  file.write(header);
  for (const Tensor* tensor : order) {
    if constexpr (std::is_same_v<Tensor, TensorToWrite>) {
      file.write(tensor->bytes);
    } else {
      const AlignedVector<std::byte> bytes = tensor->bytes();
      expect_size(*tensor, bytes.size());
      file.write(bytes);
    }
  }
  file.commit();
}

}  // namespace detail

/// Writes the tensors and the metadata (UTF-8 text) as one .safetensors file, atomically. Equal
/// arguments give equal bytes. Tensors are laid out by falling element size, otherwise in the
/// given order, so that each is aligned to its elements.
inline void write_safetensors(const std::filesystem::path& path,
                              std::span<const TensorToWrite> tensors,
                              const std::map<std::string, std::string>& metadata = {}) {
  detail::write_safetensors_file(path, tensors, metadata);
}
/// The same with tensors that are made one at a time, when their turn has come.
inline void make_safetensors(const std::filesystem::path& path,
                             std::span<const TensorToMake> tensors,
                             const std::map<std::string, std::string>& metadata = {}) {
  detail::write_safetensors_file(path, tensors, metadata);
}

}  // namespace lrqat

#endif  // LRQAT_IO_SAFETENSORS_HPP
