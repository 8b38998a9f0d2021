// SPDX-License-Identifier: MIT
// tests/io/llama2c_int8.hpp: a version-2 file from float weights; the library only reads them.
#ifndef LRQAT_TESTS_IO_LLAMA2C_INT8_HPP
#define LRQAT_TESTS_IO_LLAMA2C_INT8_HPP

#include <lrqat/io/detail/bytes.hpp>
#include <lrqat/io/detail/llama_tensors.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace lrqat::test {

inline std::string llama2c_int8(const LlamaWeights& weights, std::size_t group_size) {
  const LlamaConfig& c = weights.config;
  std::string bytes;
  detail::append_number(bytes, std::uint32_t{0x616B3432});
  for (const std::size_t number :
       {std::size_t{2}, c.dim, c.hidden_dim, c.layers, c.heads, c.kv_heads, c.vocab, c.context})
    detail::append_number(bytes, static_cast<std::int32_t>(number));
  detail::append_number(bytes, static_cast<std::uint8_t>(c.tied_head));
  detail::append_number(bytes, static_cast<std::int32_t>(group_size));
  bytes.resize(256, '\0');

  const auto floats = [&](const AlignedVector<float>& values) {
    for (const float value : values) detail::append_number(bytes, value);
  };
  const auto int8 = [&](const AlignedVector<float>& values) {
    std::string scales;
    for (std::size_t group = 0; group < values.size(); group += group_size) {
      float largest = 0.0f;
      for (std::size_t i = group; i < std::min(values.size(), group + group_size); ++i)
        largest = std::max(largest, std::abs(values[i]));
      const float scale = largest / 127.0f;
      for (std::size_t i = group; i < std::min(values.size(), group + group_size); ++i)
        detail::append_number(bytes, static_cast<std::int8_t>(std::lround(values[i] / scale)));
      detail::append_number(scales, scale);
    }
    bytes += scales;
  };
  for (const detail::BlockTensor& tensor : detail::block_tensors)
    for (const LlamaWeights::Block& block : weights.blocks)
      if (tensor.rows == detail::Extent::one) floats(block.*tensor.member);
  floats(weights.final_norm);
  int8(weights.embedding);
  for (const detail::BlockTensor& tensor : detail::block_tensors)
    for (const LlamaWeights::Block& block : weights.blocks)
      if (tensor.rows != detail::Extent::one) int8(block.*tensor.member);
  int8(weights.head);
  return bytes;
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_IO_LLAMA2C_INT8_HPP
