// SPDX-License-Identifier: MIT
// tests/linear/finite_differences.test.cpp: every gradient against central differences.
//
// A grid without rounding makes the layer smooth: W_hat = s clip(u) is linear, piece by piece, in
// every single parameter, so that a central difference has no truncation error as long as no weight
// crosses an end of the grid on the way, and a large step keeps the rounding error small.
#include <lrqat/linear/quant_linear.hpp>

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <numeric>

namespace lrqat::test::finite_differences_cases {
namespace {

using Smooth = Unrounded<Int<3>>;  // reals between -4 and 3

constexpr std::size_t out = 5, in = 9, tokens = 4;

/// Sum of y * direction in double: dL/dy = direction.
template <class Layer>
double loss(const Layer& layer, const Matrix& x, const Matrix& direction) {
  Matrix y(x.rows, layer.out_features());
  layer.forward(x.view(), y.view());
  double sum = 0;
  for (std::size_t i = 0; i < y.values.size(); ++i)
    sum += static_cast<double>(y.values[i]) * static_cast<double>(direction.values[i]);
  return sum;
}

/// z in grid units.
template <class Layer>
Matrix grid_units(const Layer& layer) {
  Matrix u(layer.out_features(), layer.in_features());
  layer.weight().latent({0, 0, u.rows, u.cols}, u.view());
  if constexpr (std::is_same_v<typename Layer::parameterization::coupling, Coupled>)
    for (std::size_t i = 0; i < u.rows; ++i)
      for (std::size_t j = 0; j < u.cols; ++j)
        u(i, j) /= layer.weight().used_scale(layer.weight().layout().index(i, j));
  return u;
}

/// What rounding can do to the share of each output in the loss: one rounding of y and at most
/// seven of a weight (two a rank, gain, sum, to_grid, scale), none of a value beyond |u| + 1.
template <class Layer>
std::vector<double> noise_of_outputs(const Layer& layer, const Matrix& x, const Matrix& direction) {
  const Matrix u = grid_units(layer);
  std::vector<double> noise(u.rows);
  for (std::size_t t = 0; t < x.rows; ++t)
    for (std::size_t i = 0; i < u.rows; ++i)
      for (std::size_t j = 0; j < u.cols; ++j) {
        const float scale = layer.weight().used_scale(layer.weight().layout().index(i, j));
        noise[i] += std::fabs(static_cast<double>(direction(t, i)) * static_cast<double>(x(t, j))) *
                    static_cast<double>(scale * (std::fabs(u(i, j)) + 1.0f)) * 8 * 0x1p-24;
      }
  return noise;
}

/// No |u| within `margin` of an end of the grid, so that a step does not cross it.
template <class Layer>
bool keeps_off_the_ends(const Layer& layer, float margin) {
  for (const float u : grid_units(layer).values)
    if (std::fabs(u - 3.0f) < margin || std::fabs(u + 4.0f) < margin || std::fabs(u) > 8.0f)
      return false;
  return true;
}

/// A layer with inner values, values beyond both ends, and none near an end.
template <class Layer>
Layer make_layer() {
  const std::vector<float> bias{0.1f, -0.2f, 0.3f, -0.4f, 0.5f};
  for (std::uint64_t seed = 1;; ++seed) {
    REQUIRE(seed < 20000);
    const Matrix weight = random_matrix(out, in, 1.0f, seed);
    std::vector<QParams> qparams;
    for (std::size_t cell = 0; cell < Layer::granularity::layout({out, in}, {}).size(); ++cell)
      qparams.push_back({0.4f + 0.03125f * static_cast<float>(cell % 3), 0.0f});
    Layer layer(weight.view(), qparams, QuantOptions{}, bias);
    randomize_adapter(layer, 0.3f, seed);
    if (keeps_off_the_ends(layer, 0.07f)) return layer;
  }
}

template <class... Policies>
void check() {
  using Layer = QuantLinear<Smooth, Everything, Reference, Policies...>;
  Layer layer = make_layer<Layer>();
  const Matrix x = random_matrix(tokens, in, 1.0f, 7),
               direction = random_matrix(tokens, out, 1.0f, 8);
  const Passes passes = run_passes(layer, x, direction);
  const std::vector<double> noise = noise_of_outputs(layer, x, direction);
  const double all_noise = std::accumulate(noise.begin(), noise.end(), 0.0);

  // Both losses are off by the noise of the outputs that the value reaches (the others have the
  // same bits in both); backward by the roundings of like terms.
  const auto compare = [&](const std::string& name, float& value, float step, double analytic,
                           double reached, const Matrix& input) {
    const float kept = value;
    value = kept + step;
    const double above = loss(layer, input, direction), high = static_cast<double>(value);
    value = kept - step;
    const double difference =
        (above - loss(layer, input, direction)) / (high - static_cast<double>(value));
    value = kept;
    INFO(name << ": differences " << difference << ", backward " << analytic);
    CHECK(std::fabs(difference - analytic) <= reached / static_cast<double>(step) + 8 * reached);
  };
  const auto parameters = layer.parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p)
    for (std::size_t i = 0; i < parameters[p].value.size(); ++i) {
      const Parameter<float>& each = parameters[p];
      const std::size_t of_an_output = each.value.size() / out;  // values that one output owns
      const bool owned = each.name != "B" && of_an_output > 0;
      // u moves by u step / s where the scale is coupled, by nothing where it is not; by gain |A|
      // or |B| times the step in adapters; by step or step / s in a trained base.
      constexpr bool coupled = std::is_same_v<typename Layer::parameterization::coupling, Coupled>;
      const float step = each.role == Role::scale  ? (coupled ? 0x1p-9f : 0.125f)
                         : each.role == Role::bias ? 0.25f
                                                   : 0x1p-6f;
      compare(each.name + "[" + std::to_string(i) + "]", each.value[i], step,
              static_cast<double>(passes.gradients[p][i]),
              owned ? noise[i / of_an_output] : all_noise, x);
    }
  Matrix moved = x;
  for (std::size_t i = 0; i < x.values.size(); ++i)
    compare("x[" + std::to_string(i) + "]", moved.values[i], 0.25f,
            static_cast<double>(passes.grad_x.values[i]), all_noise, moved);
}

TEST_CASE("Gradients are differences: inside the rounding", "[linear]") {
  check<NoAdapter, PerTensor, InsideRounding, Dense<float>>();
  check<LowRank<3>, PerChannel, InsideRounding, Dense<float>>();
  check<LowRank<2>, PerGroup<4>, InsideRounding, Dense<float>>();
  check<LowRank<2>, PerTensor, InsideRounding, Dense<bf16>>();
  check<FullRank, PerGroup<4>, InsideRounding>();
}

TEST_CASE("Gradients are differences: in the weight domain", "[linear]") {
  check<NoAdapter, PerChannel, WeightDomain>();
  check<LowRank<3>, PerGroup<4>, WeightDomain>();
  check<LowRank<2>, PerTensor, WeightDomain, Dense<bf16>>();
  check<FullRank, PerChannel, WeightDomain>();
  check<FullRank, PerTensor, WeightDomain>();
}

// Beside the rounding delta is far below one scale, which the |u| + 1 of the bound covers.
TEST_CASE("Gradients are differences: beside the rounding", "[linear]") {
  check<LowRank<3>, PerChannel, Parallel, Dense<float>>();
  check<LowRank<2>, PerGroup<4>, Parallel, Dense<bf16>>();
}

/// On a real grid y is exactly linear in a decoupled scale and in x.
template <class... Policies>
void check_scales() {
  using Layer = QuantLinear<Reference, Policies...>;
  Layer layer(random_matrix(out, in, 0.3f, 1).view());
  randomize_adapter(layer, 1.0f, 2);
  const Matrix x = random_matrix(tokens, in, 1.0f, 7),
               direction = random_matrix(tokens, out, 1.0f, 8);
  const Passes passes = run_passes(layer, x, direction);
  // Weights have one rounding (the product with the scale), y another; levels reach 8.
  double noise = 0, largest = 0;
  for (const float scale : layer.weight().scales())
    largest = std::max(largest, static_cast<double>(scale));
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t i = 0; i < out; ++i)
      for (std::size_t j = 0; j < in; ++j)
        noise += std::fabs(static_cast<double>(direction(t, i)) * static_cast<double>(x(t, j)));
  noise *= largest * 2 * 8.0 * 3 * 0x1p-24;
  const auto scale = named(layer.parameters(), "scale");
  for (std::size_t i = 0; i < scale.value.size(); ++i) {
    const float kept = scale.value[i];
    scale.value[i] = kept * 2.0f;  // any step will do
    const double above = loss(layer, x, direction);
    scale.value[i] = kept * 0.5f;
    const double below = loss(layer, x, direction);
    scale.value[i] = kept;
    const double step = 1.5 * static_cast<double>(kept);
    INFO("scale " << i);
    CHECK(std::fabs((above - below) / step - static_cast<double>(passes.gradients.back()[i])) <=
          2 * noise / step + noise / largest);
  }
}

TEST_CASE("Gradients are differences: the scale of a real grid inside the rounding", "[linear]") {
  check_scales<Int<4>, PerChannel, FixedPoint, LowRank<2>>();
  check_scales<Int<3>, PerGroup<4>, Packed, NoAdapter>();
  check_scales<UInt<3>, PerTensor, Dense<bf16>, LowRank<2>>();
  check_scales<Int<4>, PerGroup<4>, LowRank<2>, Parallel>();
}

}  // namespace
}  // namespace lrqat::test::finite_differences_cases
