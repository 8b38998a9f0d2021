// SPDX-License-Identifier: MIT
// examples/lab/model.hpp: a LLaMA under a scheme, and what its linear layers weigh.
#ifndef LRQAT_LAB_MODEL_HPP
#define LRQAT_LAB_MODEL_HPP

#include "scheme.hpp"

#include <lrqat/core/quant_options.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/nn/llama.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace lrqat {

extern template class Llama<AnyLinear>;  // compiled once, in model.cpp

}  // namespace lrqat

namespace lrqat::lab {

using Model = Llama<AnyLinear>;

/// What a model's layers depend on besides its weights.
struct Adaptation {
  Scheme scheme{};
  float alpha = 1.0f;
  std::size_t rank = 8;  // where the scheme names none
  std::uint64_t seed = 1;
  ComputeType compute = ComputeType::fp32;
  ScaleType scale_type = ScaleType::float32;
};

/// The model with every linear layer under the scheme. @throws Error where one does not fit
Model make_model(const LlamaWeights& weights, const Adaptation& adaptation,
                 Recompute recompute = Recompute::keep);

/// What the scheme quantizes between linear layers.
ActivationBits activation_bits(const Scheme& scheme);

/// What the layer of that name is made with.
QuantOptions layer_options(const Adaptation& adaptation, const LinearName& which);

/// The same with every layer merged into codes and scales.
Model merge(const Model& model);

/// Trained numbers of all layers.
std::size_t trained_numbers(Model& model);

/// Weights of all linear layers.
std::size_t linear_weights(const LlamaConfig& config);

/// Bits of the linear layers after merging, a 16-bit scale for each group, for each of their
/// weights.
double bits_per_weight(const LlamaConfig& config, const Scheme& scheme);

/// Tells checkpoints apart: a hash of all numbers of the model.
std::uint64_t fingerprint_of(const LlamaWeights& weights);

/// Order-dependent 64-bit hash of bytes.
std::uint64_t hash_of(std::span<const std::byte> bytes, std::uint64_t start = 0);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_MODEL_HPP
