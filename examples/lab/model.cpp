// SPDX-License-Identifier: MIT
// examples/lab/model.cpp: the one place that compiles the LLaMA.
#include "model.hpp"

#include "layer_factory.hpp"

#include <cstring>
#include <span>

namespace lrqat {

template class Llama<AnyLinear>;

}  // namespace lrqat

namespace lrqat::lab {

QuantOptions layer_options(const Adaptation& adaptation, const LinearName& which) {
  // Streams of random numbers 0, 1, ... of a seed belong to the order of the data.
  constexpr std::uint64_t first_stream = std::uint64_t{1} << 32;
  QuantOptions options;
  options.alpha = adaptation.alpha;
  options.rank = adaptation.rank;
  options.scale_type = adaptation.scale_type;
  options.seed = adaptation.seed;
  options.stream =
      first_stream + which.block * linear_kinds.size() + static_cast<std::size_t>(which.kind);
  return options;
}

Model make_model(const LlamaWeights& weights, const Adaptation& adaptation, Recompute recompute) {
  const auto make = [&](MatrixView<const float> weight, const LinearName& which) {
    return make_layer(adaptation.scheme, weight, layer_options(adaptation, which),
                      adaptation.compute);
  };
  return Model(
      weights, make,
      LlamaOptions{.recompute = recompute, .activations = activation_bits(adaptation.scheme)});
}

ActivationBits activation_bits(const Scheme& scheme) {
  return {input_of(scheme, scheme.cache_bits), input_of(scheme, scheme.activation_bits)};
}

Model merge(const Model& model) {
  return model.convert<AnyLinear>(
      [](const AnyLinear& layer, const LinearName&) { return layer.merge(); },
      LlamaOptions{.activations = model.options().activations});
}

std::size_t trained_numbers(Model& model) {
  std::size_t count = 0;
  for (const Parameter<float>& parameter : model.parameters()) count += parameter.value.size();
  return count;
}

std::size_t linear_weights(const LlamaConfig& config) {
  std::size_t of_a_block = 0;
  for (const LinearKind kind : linear_kinds) of_a_block += linear_shape(config, kind).size();
  return config.layers * of_a_block;
}

double bits_per_weight(const LlamaConfig& config, const Scheme& scheme) {
  std::size_t bits = 0, weights = 0;
  for (const LinearKind kind : linear_kinds) {
    const Shape shape = linear_shape(config, kind);
    bits += merged_bits(scheme, shape);
    weights += shape.size();
  }
  return static_cast<double>(bits) / static_cast<double>(weights);
}

std::uint64_t hash_of(std::span<const std::byte> bytes, std::uint64_t start) {
  std::uint64_t hash = start ^ 0x9E3779B97F4A7C15u ^ bytes.size();
  for (std::size_t i = 0; i < bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, std::min<std::size_t>(8, bytes.size() - i));
    hash = (hash ^ word) * 0xFF51AFD7ED558CCDu;
    hash ^= hash >> 32;
  }
  return hash;
}

std::uint64_t fingerprint_of(const LlamaWeights& weights) {
  const LlamaConfig& c = weights.config;
  std::uint64_t hash = 0;
  const auto add = [&hash](std::span<const float> values) {
    hash = hash_of(std::as_bytes(values), hash);
  };
  const std::size_t sizes[] = {c.dim,      c.hidden_dim, c.layers,  c.heads,
                               c.kv_heads, c.head_dim,   c.context, c.vocab};
  const float numbers[] = {c.rope_theta, c.norm_eps};
  hash = hash_of(std::as_bytes(std::span(sizes)), hash);
  add(numbers);
  if (is_scaled(c.rope_scaling))
    add(rope_divisors(c.rope_scaling, c.head_dim, static_cast<double>(c.rope_theta)));
  add(weights.embedding);
  for (const LlamaWeights::Block& block : weights.blocks) {
    add(block.attention_norm);
    add(block.mlp_norm);
    for (const LinearKind kind : linear_kinds) add(linear_weight(block, kind));
  }
  add(weights.final_norm);
  add(weights.head);
  return hash;
}

}  // namespace lrqat::lab
