// SPDX-License-Identifier: MIT
// examples/lab/shaped_model.hpp: a model of a given shape whose weights come from a seed.
#ifndef LRQAT_LAB_SHAPED_MODEL_HPP
#define LRQAT_LAB_SHAPED_MODEL_HPP

#include "layer_factory.hpp"  // WeightSource
#include "model.hpp"
#include "progress.hpp"
#include "text.hpp"  // Stream

#include <cstddef>
#include <cstdint>

namespace lrqat::lab {

/// Bell-shaped weights (the sum of four uniform bytes) with the given standard deviation, up to
/// 3.45 of them: each a function of (seed, stream, row, column), made when it is asked for.
WeightSource seeded_weight(Shape shape, float deviation, std::uint64_t seed, std::uint64_t stream);

/// The model of that shape under the scheme, recomputing block by block. Its linear weights go row
/// by row into their storage, on all threads; embedding and head are bfloat16, norms are 1. Their
/// variances keep the stream's size through the layers.
/// @throws Error where the scheme does not fit
Model make_shaped_model(const LlamaConfig& config, const Adaptation& adaptation,
                        ProgressBar& progress);

/// Uniform tokens of a seed: `count` of them.
Stream seeded_tokens(std::size_t vocab, std::size_t count, std::uint64_t seed);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_SHAPED_MODEL_HPP
