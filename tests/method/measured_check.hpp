// SPDX-License-Identifier: MIT
// tests/method/measured_check.hpp: what holds for every method whose scales follow the weight.
#ifndef LRQAT_TESTS_METHOD_MEASURED_CHECK_HPP
#define LRQAT_TESTS_METHOD_MEASURED_CHECK_HPP

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>

namespace lrqat::test {

inline constexpr std::size_t out = 11, in = 96, tokens = 7;
inline const Matrix weight = random_matrix(out, in, 0.3f, 1);
inline const Matrix x = random_matrix(tokens, in, 1.0f, 2);
inline const Matrix grad_y = random_matrix(tokens, out, 1.0f, 3);

template <class Layer>
void step(Layer& layer, float rate) {
  Matrix grad_x(tokens, in);
  layer.zero_gradients();
  layer.backward(x.view(), grad_y.view(), grad_x.view());
  for (const Parameter<float>& each : layer.parameters())
    for (std::size_t i = 0; i < each.value.size(); ++i) each.value[i] -= rate * each.gradient[i];
  layer.after_step();
}

/// No scale learns; after a step scales are those of a new layer with the trained weight, and merged
/// codes have the trained layer's bits.
template <class Layer>
void check_measured() {
  Layer layer(weight.view());
  const auto first = copy_of(layer.weight().scales());
  for (const Parameter<float>& each : layer.parameters()) CHECK(each.role != Role::scale);
  for (int i = 0; i < 3; ++i) step(layer, 0.05f);
  CHECK(copy_of(layer.weight().scales()) != first);
  const Parameter<float> trained = layer.parameters().front();
  REQUIRE(trained.name == "weight");
  if constexpr (!changes_basis<typename Layer::input>) {
    const Layer anew(MatrixView<const float>(trained.value.data(), out, in));
    CHECK(copy_of(anew.weight().scales()) == copy_of(layer.weight().scales()));
    CHECK(weight_of(anew).values == weight_of(layer).values);
  }
  Matrix y(tokens, out), merged_y(tokens, out);
  layer.forward(x.view(), y.view());
  layer.merge().forward(x.view(), merged_y.view());
  CHECK(bits_of(merged_y.values) == bits_of(y.values));

  trained.value[5] = std::nanf("");
  CHECK_THROWS_WITH(layer.after_step(), Catch::Matchers::Contains("weight (0, 5) is not finite"));
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_METHOD_MEASURED_CHECK_HPP
