// SPDX-License-Identifier: MIT
// examples/lab/shaped_model.cpp: weights, tables and tokens from a seed.
#include "shaped_model.hpp"

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/bf16.hpp>
#include <lrqat/core/config.hpp>  // LRQAT_INLINE
#include <lrqat/core/rng.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace lrqat::lab {

namespace {

// Random numbers of a seed: streams 0, 1, ... order the data, those from 2^32 on start adapters
// (layer_options), those from 2^33 on are here.
constexpr std::uint64_t first_weight_stream = std::uint64_t{1} << 33;
constexpr std::uint64_t table_stream = std::uint64_t{1} << 34;
constexpr std::uint64_t token_stream = std::uint64_t{1} << 35;

/// The standard deviation of four bytes, each uniform on 0 ... 255: sqrt(4 (256^2 - 1) / 12).
constexpr float deviation_of_bytes = 147.80054f;

/// Their sum, less its mean.
LRQAT_INLINE float centred_sum_of_bytes(std::uint32_t bits) {
  const std::uint32_t sum =
      (bits & 0xFFu) + (bits >> 8 & 0xFFu) + (bits >> 16 & 0xFFu) + (bits >> 24);
  return static_cast<float>(static_cast<int>(sum) - 510);
}

TokenTable<float> seeded_table(Shape shape, std::uint64_t seed, std::uint64_t stream) {
  const float deviation = 1.0f / std::sqrt(static_cast<float>(shape.cols));
  const WeightSource source = seeded_weight(shape, deviation, seed, stream);
  AlignedVector<bf16> table(shape.size());
  parallel_for(shape.rows, [&](std::size_t row) {
    AlignedVector<float> values(shape.cols);
    source.rows(row, values);
    for (std::size_t i = 0; i < shape.cols; ++i) table[row * shape.cols + i] = bf16(values[i]);
  });
  return {shape, std::move(table)};
}

}  // namespace

WeightSource seeded_weight(Shape shape, float deviation, std::uint64_t seed, std::uint64_t stream) {
  // A block of the generator is four numbers, a quarter of a row apart.
  const std::size_t quarter = (shape.cols + 3) / 4;
  const float unit = deviation / deviation_of_bytes;
  return {shape, [=](std::size_t row, std::span<float> values) {
            const MatrixView<float> quarters = scratch<struct quarters_slot>(4, quarter);
            kernel::vectorised([=, random = CounterRng(seed, stream)] {
              kernel::for_each_lane(quarter, [=, to = quarters.data](std::size_t i) {
                const std::array<std::uint32_t, 4> bits = random.block(row * quarter + i);
                to[i] = unit * centred_sum_of_bytes(bits[0]);
                to[quarter + i] = unit * centred_sum_of_bytes(bits[1]);
                to[2 * quarter + i] = unit * centred_sum_of_bytes(bits[2]);
                to[3 * quarter + i] = unit * centred_sum_of_bytes(bits[3]);
              });
            });
            std::copy_n(quarters.data, values.size(), values.data());
          }};
}

Model make_shaped_model(const LlamaConfig& config, const Adaptation& adaptation,
                        ProgressBar& progress) {
  const Shape table{config.vocab, config.dim};
  TokenTable<float> embedding = seeded_table(table, adaptation.seed, table_stream), head;
  if (!config.tied_head) head = seeded_table(table, adaptation.seed, table_stream + 1);
  const float depth = std::sqrt(2.0f * static_cast<float>(config.layers));
  const std::size_t layers = config.layers * linear_kinds.size();
  std::size_t made = 0;
  const auto make = [&](const LinearName& which) {
    const Shape shape = linear_shape(config, which.kind);
    const bool ends_branch = which.kind == LinearKind::output || which.kind == LinearKind::down;
    const float deviation =
        (ends_branch ? 1.0f / depth : 1.0f) / std::sqrt(static_cast<float>(shape.cols));
    AnyLinear layer =
        make_layer(adaptation.scheme,
                   seeded_weight(shape, deviation, adaptation.seed, first_weight_stream + made),
                   layer_options(adaptation, which), adaptation.compute);
    progress.part(++made, layers, "layers made");
    return layer;
  };
  return Model(LlamaFrame<float>(config, std::move(embedding), std::move(head)), make,
               LlamaOptions{.recompute = Recompute::per_block,
                            .activations = activation_bits(adaptation.scheme)});
}

Stream seeded_tokens(std::size_t vocab, std::size_t count, std::uint64_t seed) {
  const CounterRng random(seed, token_stream);
  Stream stream;
  stream.origin = "tokens of the seed";
  stream.tokens.resize(count);
  for (std::size_t i = 0; i < count; ++i)
    stream.tokens[i] = static_cast<Token>(random.below(static_cast<std::uint32_t>(vocab), i));
  return stream;
}

}  // namespace lrqat::lab
