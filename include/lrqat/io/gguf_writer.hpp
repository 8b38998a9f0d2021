// SPDX-License-Identifier: MIT
// io/gguf_writer.hpp: metadata and tensors to a GGUF file.
#ifndef LRQAT_IO_GGUF_WRITER_HPP
#define LRQAT_IO_GGUF_WRITER_HPP

#include <lrqat/io/gguf.hpp>

#include <set>

namespace lrqat {

namespace detail {

inline void append_text(std::string& bytes, std::string_view text) {
  append_number(bytes, std::uint64_t{text.size()});
  bytes += text;
}
template <class T>
void append_value(std::string& bytes, const T& value) {
  if constexpr (std::is_same_v<T, std::string>)
    append_text(bytes, value);
  else if constexpr (std::is_same_v<T, bool>)
    append_number(bytes, std::uint8_t{value});
  else
    append_number(bytes, value);
}
inline void append_value(std::string& bytes, const GgufArray& array) {
  append_number(bytes, static_cast<std::uint32_t>(array.values.index()));
  std::visit(
      [&]<class L>(const L& list) {
        if constexpr (!std::is_same_v<L, std::monostate>) {
          append_number(bytes, std::uint64_t{list.size()});
          for (const auto& value : list)
            append_value(bytes, static_cast<const typename L::value_type&>(value));
        }
      },
      array.values);
}

}  // namespace detail

/// Writes a GGUF file, version 3, atomically. Equal arguments give equal bytes. Tensors lie in the
/// given order, each padded to the alignment, as llama.cpp wants them.
/// @throws Error also where a tensor has other bytes than its type and shape say
inline void write_gguf(const std::filesystem::path& path, const GgufMetadata& metadata,
                       std::span<const GgufTensorToWrite> tensors) {
  const std::string where = path.string();
  constexpr std::size_t alignment = detail::gguf_default_alignment;
  expects(metadata.count("general.alignment") == 0, where,
          ": general.alignment is the writer's own affair");
  std::string head(detail::gguf_magic);
  detail::append_number(head, detail::gguf_version);
  detail::append_number(head, std::uint64_t{tensors.size()});
  detail::append_number(head, std::uint64_t{metadata.size()});
  for (const auto& [key, value] : metadata) {
    detail::append_text(head, key);
    detail::append_number(head, static_cast<std::uint32_t>(value.index()));
    std::visit([&](const auto& held) { detail::append_value(head, held); }, value);
  }
  std::set<std::string> names;
  std::size_t offset = 0;
  for (const GgufTensorToWrite& tensor : tensors) {
    const std::string at = where + ": tensor " + tensor.name;
    expects(!tensor.name.empty() && names.insert(tensor.name).second, at,
            ": this name is empty or taken");
    const std::size_t size = detail::ggml_bytes(tensor.type, tensor.shape);
    expects(size != SIZE_MAX && size != 0 && tensor.shape.size() <= 4, at, ": ",
            name_of(tensor.type), " of shape ", detail::shape_text(tensor.shape),
            " cannot be stored");
    detail::append_text(head, tensor.name);
    detail::append_number(head, static_cast<std::uint32_t>(tensor.shape.size()));
    for (std::size_t i = tensor.shape.size(); i-- > 0;)
      detail::append_number(head, std::uint64_t{tensor.shape[i]});
    detail::append_number(head, static_cast<std::uint32_t>(tensor.type));
    detail::append_number(head, std::uint64_t{offset});
    offset += detail::round_up(size, alignment);
  }
  if (!tensors.empty()) head.resize(detail::round_up(head.size(), alignment), '\0');

  AtomicFile file(path);
  file.write(head);
  for (const GgufTensorToWrite& tensor : tensors) {
    const AlignedVector<std::byte> bytes = tensor.bytes();
    const std::size_t size = detail::ggml_bytes(tensor.type, tensor.shape);
    expects(bytes.size() == size, where, ": tensor ", tensor.name, ": ", name_of(tensor.type),
            " of shape ", detail::shape_text(tensor.shape), " cannot be ", bytes.size(), " bytes");
    file.write(bytes);
    file.write(std::string(detail::round_up(size, alignment) - size, '\0'));
  }
  file.commit();
}

}  // namespace lrqat

#endif  // LRQAT_IO_GGUF_WRITER_HPP
