// SPDX-License-Identifier: MIT
// tests/method/quest.test.cpp: QuEST, and LR-QAT in its basis.
#include <lrqat/method/quest.hpp>

#include <lrqat/lrqat.hpp>

#include <method/measured_check.hpp>

#include <concepts>

namespace lrqat::test::quest_cases {
namespace {

static_assert(
    std::same_as<method::Quest<4>,
                 QuantLinear<MidRise<4>, PerChannel, Dense<float>, FullRank, WeightDomain, Trust<1, 2>,
                             GaussianRms, MeasuredScale, Hadamard<128>, RmsInput<MidRise<4>>>>);
static_assert(std::same_as<method::Quest<1, 4>::input,
                           TransformedInput<Hadamard<128>, DynamicInput<MidRise<4>, GaussianRms,
                                                                        Trust<1, 2>>>>);
static_assert(std::same_as<method::RotatedLrQat<4, 32>,
                           QuantLinear<Int<4>, LowRank<32>, FixedPoint, Trust<>, LpSearch<4>,
                                       Hadamard<>>>);

TEST_CASE("QuEST: scales follow the weight, merging is exact, down to one bit", "[method]") {
  check_measured<method::Quest<2>>();
  check_measured<method::Quest<1, 4>>();
}

TEST_CASE("QuEST: x and W are rotated, fitted, rounded, and multiplied", "[method]") {
  const method::Quest<2> layer(weight.view());
  const auto quantized = [](const Matrix& rows) {
    Matrix result = rows;
    for (std::size_t i = 0; i < rows.rows; ++i) {
      const std::span<float> row = result.view().row(i);
      Hadamard<>::apply(row);
      const float scale = GaussianRms::choose<MidRise<2>>(row).scale;
      for (float& value : row) value = scale * MidRise<2>::clip(MidRise<2>::round(value / scale), 0.0f);
    }
    return result;
  };
  const Matrix x_hat = quantized(x), w_hat = quantized(weight);
  CHECK(weight_of(layer).values == w_hat.values);
  Matrix y(tokens, out);
  layer.forward(x.view(), y.view());
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t i = 0; i < out; ++i) {
      double sum = 0, terms = 0;
      for (std::size_t j = 0; j < in; ++j) {
        const double term = static_cast<double>(x_hat(t, j)) * static_cast<double>(w_hat(i, j));
        sum += term, terms += std::fabs(term);
      }
      CHECK(std::fabs(static_cast<double>(y(t, i)) - sum) <= terms * in * 0x1p-24);
    }
}

TEST_CASE("QuEST: the gradient is masked in the rotated basis", "[method]") {
  using Layer = method::Quest<2>;
  using Infinite = QuantLinear<MidRise<2>, FullRank, WeightDomain, Trust<1 << 20, 1>, GaussianRms,
                               MeasuredScale, Hadamard<>, RmsInput<MidRise<2>>>;
  const Layer layer(weight.view());
  const Passes passes = run_passes(layer, x, grad_y);
  const Passes all = run_passes(Infinite(weight.view()), x, grad_y);
  CHECK(bits_of(passes.y.values) == bits_of(all.y.values));
  CHECK(bits_of(passes.grad_x.values) == bits_of(all.grad_x.values));
  std::size_t masked = 0;
  Matrix rotated = weight;
  for (std::size_t i = 0; i < out; ++i) {
    Hadamard<>::apply(rotated.view().row(i));
    const float scale = layer.weight().scales()[i];
    for (std::size_t j = 0; j < in; ++j) {
      const bool inside = std::fabs(rotated(i, j) / scale) <= 2.0f;  // 1.5 and half a step
      masked += !inside;
      CHECK(passes.gradients[0][i * in + j] == (inside ? all.gradients[0][i * in + j] : 0.0f));
    }
  }
  CHECK(masked > 0);
  CHECK(masked < out * in / 10);
}

TEST_CASE("QuEST: what comes out for x is its masked gradient, taken back", "[method]") {
  const method::Quest<2> layer(weight.view());
  const Passes passes = run_passes(layer, x, grad_y);
  const Matrix w_hat = weight_of(layer);
  for (std::size_t t = 0; t < tokens; ++t) {
    std::vector<float> grad(in), bound(in);
    for (std::size_t j = 0; j < in; ++j)
      for (std::size_t i = 0; i < out; ++i) {
        grad[j] += grad_y(t, i) * w_hat(i, j);
        bound[j] += std::fabs(grad_y(t, i) * w_hat(i, j));
      }
    std::vector<float> token = copy_of(x.view().row(t));
    Hadamard<>::apply(token);
    RmsInput<MidRise<2>>::backward(token, grad);
    Hadamard<>::apply_adjoint(grad);
    float most = 0;
    for (const float each : bound) most = std::max(most, each);
    for (std::size_t j = 0; j < in; ++j)  // sums of 11, and 5 stages of a transform of 32
      CHECK(std::fabs(passes.grad_x(t, j) - grad[j]) <= 32 * most * 18 * 0x1p-24f);
  }
}

}  // namespace
}  // namespace lrqat::test::quest_cases
