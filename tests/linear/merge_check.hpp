// SPDX-License-Identifier: MIT
// tests/linear/merge_check.hpp: merged layers and conversions against the layer they come from.
#ifndef LRQAT_TESTS_LINEAR_MERGE_CHECK_HPP
#define LRQAT_TESTS_LINEAR_MERGE_CHECK_HPP

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

namespace lrqat::test {

/// A layer away from its first state: other scales, an adapter that moves and clips weights, and
/// some weights far outside.
template <class Layer>
Layer trained_layer(std::size_t out, std::size_t in, QuantOptions options = {}) {
  Matrix weight = random_matrix(out, in, 0.2f, out * 100 + in);
  for (std::size_t i = 0; i < weight.values.size(); i += 11) weight.values[i] *= 8.0f;
  std::vector<float> bias(out);
  for (std::size_t i = 0; i < out; ++i) bias[i] = 0.1f * static_cast<float>(i % 5) - 0.2f;
  Layer layer(weight.view(), options, bias);
  randomize_adapter(layer, 0.4f, 3);
  for (const Parameter<float>& each : layer.parameters()) {
    if (each.role == Role::scale)
      for (std::size_t i = 0; i < each.value.size(); ++i)
        each.value[i] *= 0.6f + 0.07f * static_cast<float>(i % 4);
    if (each.role == Role::transform)
      for (std::size_t i = 0; i < each.value.size(); ++i)
        each.value[i] *= 0.6f + 0.3f * static_cast<float>(i % 4);
    if (each.role == Role::clip)
      for (std::size_t i = 0; i < each.value.size(); ++i)
        each.value[i] -= 0.9f * static_cast<float>((i + each.name.size()) % 4);
    if (each.role == Role::weight)
      for (float& value : each.value) value *= 1.3f;
    if (each.role == Role::offset || each.role == Role::zero_point)
      for (std::size_t i = 0; i < each.value.size(); ++i)
        each.value[i] += (each.role == Role::offset ? 0.013f : 0.7f) *
                         (static_cast<float>(i % 5) - 2.0f);
  }
  return layer;
}

/// Codes within the grid, W_hat equal (the sign of a zero may differ), y equal bit for bit.
template <class Layer>
void check_merge(std::size_t out, std::size_t in, QuantOptions options = {}) {
  using G = typename Layer::grid;
  const auto layer = trained_layer<Layer>(out, in, options);
  const auto merged = layer.merge();
  const auto levels = levels_of(layer);
  int wrong = 0;
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; ++j) {
      const int code = merged.code(i, j);
      const float zero =
          G::has_zero_point ? merged.zero_points()[merged.layout().index(i, j)] : 0.0f;
      wrong += code < G::code_min || code > G::code_max ||
               static_cast<int>(G::level(code, zero)) != levels[i * in + j];
    }
  CHECK(wrong == 0);
  CHECK(weight_of(merged).values == weight_of(layer).values);
  for (const std::size_t tokens : {std::size_t{1}, std::size_t{6}}) {
    const Matrix x = random_matrix(tokens, in, 1.0f, tokens);
    Matrix y(tokens, out), merged_y(tokens, out);
    layer.forward(x.view(), y.view());
    merged.forward(x.view(), merged_y.view());
    CHECK(bits_of(merged_y.values) == bits_of(y.values));
  }
}

/// Groups that end short, and groups of whole rows.
template <class... Policies>
void check_grouped_merge() {
  QuantOptions options;
  options.rank = 3;
  for (const std::size_t group : {std::size_t{7}, std::size_t{19}}) {
    options.group_size = group;
    check_merge<QuantLinear<PerGroup<dynamic>, Policies...>>(13, 19, options);
  }
}

/// Every storage inside the rounding, every one that keeps reals in the weight domain.
template <class G>
void check_merges() {
  using Adapter = LowRank<dynamic>;
  check_grouped_merge<G, Adapter, FixedPoint>();
  check_grouped_merge<G, Adapter, Packed>();
  check_grouped_merge<G, Adapter, Dense<float>>();
  check_grouped_merge<G, Adapter, Dense<bf16>>();
  check_grouped_merge<G, Adapter, Dense<float>, WeightDomain>();
  check_grouped_merge<G, Adapter, Dense<bf16>, WeightDomain>();
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_LINEAR_MERGE_CHECK_HPP
