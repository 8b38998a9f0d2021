// SPDX-License-Identifier: MIT
// tests/fuzz/gguf.cpp: the target for GGUF files.
#include "answers.hpp"
#include "targets.hpp"

#include <lrqat/io/gguf.hpp>

namespace lrqat::fuzz {

void gguf(std::span<const std::byte> input) {
  const std::filesystem::path path = put("model.gguf", input);
  has_result([&] {
    const GgufFile file(path);
    for (const auto& entry : file.metadata()) {
      has_result([&] { file.integer(entry.first); });
      has_result([&] { file.find_list<std::string>(entry.first); });
    }
    for (const GgufTensor& tensor : file.tensors()) {
      must(file.has_tensor(tensor.name) && file.tensor(tensor.name).begin == tensor.begin,
           "a tensor is not found by its name");
      must(file.bytes(tensor).size() == detail::ggml_bytes(tensor.type, tensor.shape),
           "a tensor's bytes do not fill its shape");
      has_result([&] { file.floats(tensor.name, tensor.shape); });
    }
  });
}

}  // namespace lrqat::fuzz
