// SPDX-License-Identifier: MIT
// tests/io/small_llama.hpp: a LLaMA of a few hundred numbers, for files that are read in no time.
#ifndef LRQAT_TESTS_IO_SMALL_LLAMA_HPP
#define LRQAT_TESTS_IO_SMALL_LLAMA_HPP

#include <lrqat/core/rng.hpp>
#include <lrqat/io/detail/llama_tensors.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <cstdint>

namespace lrqat::test {

inline void fill(AlignedVector<float>& values, std::size_t size, std::uint64_t stream) {
  const CounterRng rng(7, stream);
  values.resize(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = rng.uniform(i) - 0.5f;
}

/// 4 heads of 2, 2 of them for key and value; 6 pieces; 2 blocks.
inline LlamaWeights small_llama(bool tied_head) {
  LlamaWeights weights;
  weights.config = {.dim = 8,
                    .hidden_dim = 5,
                    .layers = 2,
                    .heads = 4,
                    .kv_heads = 2,
                    .head_dim = 2,
                    .vocab = 6,
                    .context = 3,
                    .tied_head = tied_head};
  std::uint64_t stream = 0;
  fill(weights.embedding, 6 * 8, stream++);
  fill(weights.final_norm, 8, stream++);
  if (!tied_head) fill(weights.head, 6 * 8, stream++);
  weights.blocks.resize(2);
  for (LlamaWeights::Block& block : weights.blocks)
    for (const detail::BlockTensor& tensor : detail::block_tensors)
      fill(block.*tensor.member, tensor.size(weights.config), stream++);
  return weights;
}

/// Every tensor of both, in the same order: visit(a's, b's, name).
template <class Visit>
void visit_pairs(const LlamaWeights& a, const LlamaWeights& b, const Visit& visit) {
  visit(a.embedding, b.embedding, "embedding");
  visit(a.final_norm, b.final_norm, "final_norm");
  visit(a.head, b.head, "head");
  for (std::size_t i = 0; i < a.blocks.size() && i < b.blocks.size(); ++i)
    for (const detail::BlockTensor& tensor : detail::block_tensors)
      visit(a.blocks[i].*tensor.member, b.blocks[i].*tensor.member, detail::tensor_name(i, tensor));
}

inline bool equal(const LlamaWeights& a, const LlamaWeights& b) {
  bool same = a.config == b.config && a.blocks.size() == b.blocks.size();
  visit_pairs(a, b, [&](const auto& x, const auto& y, const auto&) { same = same && x == y; });
  return same;
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_IO_SMALL_LLAMA_HPP
