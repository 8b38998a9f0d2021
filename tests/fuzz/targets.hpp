// SPDX-License-Identifier: MIT
// tests/fuzz/targets.hpp: one function per reader; libFuzzer calls it with bytes nobody vouches
// for.
#ifndef LRQAT_TESTS_FUZZ_TARGETS_HPP
#define LRQAT_TESTS_FUZZ_TARGETS_HPP

#include <cstddef>
#include <span>

namespace lrqat::fuzz {

/// Each returns when the reader answered with an object or with one lrqat::Error that names the
/// file. Everything else ends the process, which is what libFuzzer calls a finding.
using Target = void(std::span<const std::byte> input);

Target llama2c;
Target llama2c_tokenizer;  // the vocabulary's size (uint16), then the file
Target npy;
Target token_stream;
Target safetensors;
Target checkpoint;
Target step_log;  // the step of the checkpoint (uint8), then the log
Target hugging_face_config;
Target hugging_face;  // config.json, index (may be empty), first and second safetensors file
Target packed_hugging_face;  // config.json, safetensors file
Target gguf;
Target gguf_llama;
Target sentencepiece;

/// Between the files of one input.
inline constexpr char file_separator[] = "\n\x01next file\x01\n";

}  // namespace lrqat::fuzz

#endif  // LRQAT_TESTS_FUZZ_TARGETS_HPP
