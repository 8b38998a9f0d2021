// SPDX-License-Identifier: MIT
// tests/fuzz/gguf.cpp: targets for GGUF files: any, and those of a LLaMA.
#include "answers.hpp"
#include "stored_codes.hpp"
#include "targets.hpp"

#include <lrqat/io/gguf.hpp>
#include <lrqat/io/gguf_llama.hpp>
#include <lrqat/io/llama2c_tokenizer.hpp>

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

void gguf_llama(std::span<const std::byte> input) {
  const std::filesystem::path path = put("model.gguf", input);
  has_result([&] {
    const GgufFile file(path);
    has_result([&] {
      const StoredLlama read = read_gguf_llama(file);
      detail::check_weights(read.weights, "what was read");
      must_fill_their_shapes(read);
    });
    has_result([&] {
      const Vocabulary vocabulary = read_gguf_vocabulary(file);
      const Llama2cTokenizer tokenizer = llama2c_tokenizer(vocabulary, path.string());
      for (const Token token : tokenizer.encode("a b\xC3\xA4\n", Bos::prepend))
        must(token < vocabulary.pieces.size(), "a token beyond the vocabulary");
    });
  });
}

}  // namespace lrqat::fuzz
