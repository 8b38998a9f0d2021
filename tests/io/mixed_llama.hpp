// SPDX-License-Identifier: MIT
// tests/io/mixed_llama.hpp: a small merged LLaMA whose layers are on different grids.
#ifndef LRQAT_TESTS_IO_MIXED_LLAMA_HPP
#define LRQAT_TESTS_IO_MIXED_LLAMA_HPP

#include <lrqat/core/bf16.hpp>
#include <lrqat/core/rng.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/io/stored_llama.hpp>
#include <lrqat/io/vocabulary.hpp>
#include <lrqat/linear/dense_linear.hpp>

#include <bit>
#include <cstring>
#include <map>
#include <string>

#include "small_llama.hpp"

namespace lrqat::test {

/// Random codes and scales that are halves; with a zero point, scale * zero point is one, too.
template <class G>
MergedLinear<G> random_merged(Shape shape, std::size_t group, std::uint64_t seed) {
  const CounterRng random(seed, 5);
  const ScaleLayout layout{{shape.rows, (shape.cols + group - 1) / group}, group};
  std::vector<float> scales, zero_points;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    scales.push_back(static_cast<float>(64 + random.below(64, 2 * i)) * 0x1p-13f);
    if (G::has_zero_point)
      zero_points.push_back(static_cast<float>(random.below(1u << G::bits, 2 * i + 1)));
  }
  MergedLinear<G> merged(shape, layout, scales, zero_points, {});
  for (std::size_t i = 0; i < shape.rows; ++i)
    for (std::size_t j = 0; j < shape.cols; ++j)
      merged.set_code(i, j,
                      G::code_min + static_cast<int>(random.below(1u << G::bits,
                                                                  1'000'000 + i * shape.cols + j)));
  return merged;
}

/// Blocks of 7 layers: Int<4>, UInt<4>, Int<8> in groups of 32, a plain one, and these again.
struct MixedLlama {
  LlamaFrame<float> frame;
  std::vector<AnyLinear> layers;

  explicit MixedLlama(bool tied_head) : frame(weights(tied_head)) {
    detail::for_each_linear_name(frame.config, [&](const LinearName& which) {
      const Shape shape = linear_shape(frame.config, which.kind);
      const std::uint64_t seed = 10 * which.block + static_cast<std::uint64_t>(which.kind);
      switch (static_cast<int>(which.kind) % 4) {
        case 0:
          layers.emplace_back(random_merged<Int<4>>(shape, 32, seed));
          break;
        case 1:
          layers.emplace_back(random_merged<UInt<4>>(shape, 32, seed));
          break;
        case 2:
          layers.emplace_back(random_merged<Int<8>>(shape, 32, seed));
          break;
        default:
          AlignedVector<float> values;
          fill(values, shape.size(), seed);
          layers.emplace_back(
              DenseLinear<float>({values.data(), shape.rows, shape.cols}, {Training::frozen, {}}));
      }
    });
  }

  LlamaToStore to_store() const {
    return {frame, [this](const LinearName& which) -> const AnyLinear& {
              return layers[which.block * 7 + static_cast<std::size_t>(which.kind)];
            }};
  }

  /// Everything in float32.
  LlamaWeights dequantized() const {
    LlamaWeights all = weights(frame.config.tied_head);
    const LlamaToStore model = to_store();
    for (std::size_t b = 0; b < frame.config.layers; ++b)
      for (const LinearKind kind : linear_kinds)
        all.blocks[b].*detail::block_tensor(name(kind)).member = model.layer({b, kind}).weight();
    return all;
  }

 private:
  static LlamaWeights weights(bool tied_head) {
    LlamaWeights all;
    all.config = {.dim = 32,
                  .hidden_dim = 64,
                  .layers = 2,
                  .heads = 4,
                  .kv_heads = 2,
                  .head_dim = 8,
                  .vocab = 6,
                  .context = 12,
                  .rope_theta = 5000.0f,
                  .norm_eps = 2e-5f,
                  .tied_head = tied_head};
    std::uint64_t stream = 0;
    fill(all.embedding, 6 * 32, stream++);
    fill(all.final_norm, 32, stream++);
    if (!tied_head) fill(all.head, 6 * 32, stream++);
    all.blocks.resize(2);
    for (LlamaWeights::Block& block : all.blocks)
      for (const detail::BlockTensor& tensor : detail::block_tensors)
        fill(block.*tensor.member, tensor.size(all.config), stream++);
    return all;
  }
};

/// Six pieces, with a character of two bytes and a space.
inline Vocabulary six_pieces() {
  Vocabulary vocabulary;
  vocabulary.pieces = {{"<unk>", 0.0f, PieceKind::unknown},
                       {"<s>", 0.0f, PieceKind::control},
                       {"</s>", 0.0f, PieceKind::control},
                       {std::string(Vocabulary::space), -1.0f, PieceKind::normal},
                       {"a", -2.0f, PieceKind::normal},
                       {"\xC3\xA4", -3.5f, PieceKind::normal}};
  return vocabulary;
}

/// Bit for bit, so that zeros of different signs differ.
inline bool same_bits(const LlamaWeights& a, const LlamaWeights& b) {
  bool same = a.config == b.config && a.blocks.size() == b.blocks.size();
  visit_pairs(a, b, [&](const auto& x, const auto& y, const auto&) {
    same = same && x.size() == y.size() &&
           (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0);
  });
  return same;
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_IO_MIXED_LLAMA_HPP
