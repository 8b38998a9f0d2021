// SPDX-License-Identifier: MIT
// tests/linear/learned_rounding.test.cpp: soft layers, their penalty, and their integers.
#include <lrqat/linear/finalise.hpp>
#include <lrqat/linear/rounding_penalty.hpp>

#include <lrqat/linear/dense_product.hpp>
#include <lrqat/lrqat.hpp>
#include <lrqat/optim/rounding_schedule.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>

namespace lrqat::test::learned_rounding_cases {
namespace {

using Full = method::AdaRound<4, PerGroup<8>, Reference>;
using Low = method::LowRankAdaRound<3, 2, Reference>;
using Asymmetric =
    QuantLinear<Unrounded<UInt<3>>, LowRank<2>, BoundedRounding, PerGroup<8>, Reference>;
constexpr std::size_t out = 19, in = 37;

template <class Layer>
Layer soft_layer(float spread = 2.0f, std::size_t rows = out, std::size_t cols = in) {
  const std::vector<float> bias(rows, 0.25f);
  Layer layer(random_matrix(rows, cols, 0.3f, 1).view(), {}, bias);
  randomize_adapter(layer, spread, 3);
  return layer;
}
template <class Layer>
Matrix levels_matrix(const Layer& layer) {
  Matrix levels(layer.out_features(), layer.in_features());
  layer.weight().levels({0, 0, levels.rows, levels.cols}, levels.view());
  return levels;
}
template <class Layer>
Matrix base_of(Layer layer) {
  for (Parameter<float>& each : layer.parameters())
    if (each.role == Role::adapter) std::fill(each.value.begin(), each.value.end(), 0.0f);
  Matrix z(layer.out_features(), layer.in_features());
  layer.weight().latent({0, 0, z.rows, z.cols}, z.view());
  return z;
}

TEST_CASE("AdaRound: at the start the soft weight is the float weight where nothing clips",
          "[linear]") {
  const Matrix weight = random_matrix(out, in, 0.3f, 1);
  const Full layer(weight.view());
  const Matrix soft = weight_of(layer);
  int inside = 0;
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; ++j) {
      const float s = layer.weight().used_scale(layer.weight().layout().index(i, j));
      const float u = weight(i, j) / s;
      if (u < -8.0f || u > 7.0f) continue;
      ++inside;
      CHECK(soft(i, j) == s * u);
    }
  CHECK(inside > 500);
}

template <class Layer>
void check_finalised(float spread) {
  const Layer layer = soft_layer<Layer>(spread);
  const auto hard = finalise(layer);
  using G = typename Layer::grid;
  const Matrix levels = levels_matrix(layer), base = base_of(layer);
  const std::vector<int> found = levels_of(hard);
  int moved = 0;
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; ++j) {
      const std::size_t cell = layer.weight().layout().index(i, j);
      const float zero = G::has_zero_point ? layer.weight().zero_points()[cell] : 0.0f;
      const float level = static_cast<float>(found[i * in + j]), n = std::floor(base(i, j));
      CHECK((level == G::clip(n, zero) || level == G::clip(n + 1.0f, zero)));
      CHECK(std::fabs(level - levels(i, j)) <= 0.5f);
      moved += level != G::clip(std::floor(base(i, j) + 0.5f), zero);
    }
  CHECK((spread == 0.0f ? moved == 0 : moved > 20));
  CHECK(hard.weight().layout() == layer.weight().layout());
  for (std::size_t cell = 0; cell < hard.weight().scales().size(); ++cell)
    CHECK(hard.weight().used_scale(cell) == layer.weight().used_scale(cell));
  CHECK(copy_of(hard.bias()) == copy_of(layer.bias()));
  // Exact: codes and forward of the merged layer.
  const auto merged = hard.merge();
  CHECK(weight_of(merged).values == weight_of(hard).values);
  const Matrix x = random_matrix(3, in, 1.0f, 5);
  Matrix y(3, out), y_merged(3, out);
  hard.forward(x.view(), y.view());
  merged.forward(x.view(), y_merged.view());
  CHECK(bits_of(y.values) == bits_of(y_merged.values));
}

TEST_CASE("finalise: each integer is floor(u) or the next, the nearer one, and merges exactly",
          "[linear]") {
  STATIC_REQUIRE(std::is_same_v<
                 decltype(finalise(std::declval<const Low&>())),
                 QuantLinear<Int<3>, Packed, NoAdapter, ScaleOnly, LpSearch<12, 5>, Reference>>);
  STATIC_REQUIRE_FALSE(Low::merges);
  for (const float spread : {0.0f, 2.0f}) {
    check_finalised<Full>(spread);
    check_finalised<Low>(spread);
    check_finalised<Asymmetric>(spread);
  }
}

TEST_CASE("finalise: V = 0 goes up, clipped weights stay at their end", "[linear]") {
  const Matrix weight(1, 8, {0.5f, 1.5f, -0.5f, -1.5f, 2.4999998f, 3.5f, -5.0f, 9.0f});
  const QParams scale{1.0f, 0.0f};
  const method::AdaRound<3, Reference> layer(weight.view(), {&scale, 1});
  CHECK(levels_of(finalise(layer)) == std::vector<int>{1, 2, 0, -1, 2, 3, -4, 3});
  // With the rounding of the grid in place of finalise: half to even.
  CHECK(levels_of(method::AdaRound<3, Reference>(layer).on_grid<Int<3>>()) ==
        std::vector<int>{0, 2, 0, -2, 2, 3, -4, 3});
}

TEST_CASE("finalise: a weight that is not a number is an error", "[linear]") {
  Full layer = soft_layer<Full>();
  layer.parameters()[0].value[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(finalise(layer), Catch::Contains("finalise: weight (0, 5) is not a number"));
}

/// The loss sum(y * direction) + penalty, in double.
template <class Layer>
double loss(Layer& layer, const Matrix& x, const Matrix& direction, float weight) {
  Matrix y(x.rows, layer.out_features());
  layer.forward(x.view(), y.view());
  double sum = 0;
  for (std::size_t i = 0; i < y.values.size(); ++i)
    sum += static_cast<double>(y.values[i]) * static_cast<double>(direction.values[i]);
  return sum + add_rounding_penalty(layer, weight, 4.0f);
}

/// Central differences through the soft forward pass, in which h is smooth but for its two ends.
template <class... Policies>
void check_gradients(float penalty, float spread) {
  using Layer = QuantLinear<Unrounded<Int<3>>, Reference, BoundedRounding, Policies...>;
  Layer layer = soft_layer<Layer>(spread, 5, 9);
  const Matrix x = random_matrix(3, 9, 1.0f, 7), direction = random_matrix(3, 5, 1.0f, 8);
  layer.zero_gradients();
  Matrix grad_x(3, 9);
  layer.backward(x.view(), direction.view(), grad_x.view());
  loss(layer, x, direction, penalty);
  Layer moved = layer;
  int tried = 0;
  auto of_moved = moved.parameters();
  const auto of_layer = layer.parameters();
  for (std::size_t p = 0; p < of_layer.size(); ++p)
    for (std::size_t i = 0; i < of_layer[p].value.size(); ++i) {
      float& value = of_moved[p].value[i];
      const float kept = value;
      const auto difference = [&](float step) {
        value = kept + step;
        const double above = loss(moved, x, direction, penalty), high = static_cast<double>(value);
        value = kept - step;
        const double below = loss(moved, x, direction, penalty), low = static_cast<double>(value);
        value = kept;
        return (above - below) / (high - low);
      };
      const double near = difference(0x1p-7f), wide = difference(0x1p-6f);
      // Where an h comes to an end within the step, the two differences part.
      if (std::fabs(near - wide) > 3e-3) continue;
      ++tried;
      INFO(of_layer[p].name << "[" << i << "]: " << near << ", " << wide);
      // The near one is off by a third of that, and by 1e-6 of rounding over the step.
      CHECK(std::fabs(near - static_cast<double>(of_layer[p].gradient[i])) <=
            std::fabs(near - wide) + 3e-4);
    }
  CHECK(tried > 20);
}

TEST_CASE("BoundedRounding: gradients are differences of the soft loss", "[linear]") {
  check_gradients<FullRankDelta, PerGroup<4>, Dense<float>>(0.0f, 0.7f);
  check_gradients<FullRankDelta, PerGroup<4>, Dense<float>>(0.1f, 0.7f);
  check_gradients<LowRank<2>, PerChannel, FixedPoint>(0.0f, 0.7f);
  check_gradients<LowRank<2>, PerChannel, FixedPoint>(0.1f, 0.7f);
}

TEST_CASE("rounding_penalty: 0 at integers and nowhere else", "[linear]") {
  for (const float exponent : {2.0f, 7.5f, 20.0f}) {
    for (const float end : {0.0f, 1.0f}) {
      CHECK(rounding_penalty(end, exponent).value == 0.0f);
      CHECK(rounding_penalty(end, exponent).slope == 0.0f);
    }
    CHECK(rounding_penalty(0.5f, exponent).value == 1.0f);
    for (float h = 0x1p-6f; h < 1.0f; h += 0x1p-6f) {
      CHECK(rounding_penalty(h, exponent).value > 0.0f);
      const float step = 0x1p-9f;
      const double difference = (static_cast<double>(rounding_penalty(h + step, exponent).value) -
                                 static_cast<double>(rounding_penalty(h - step, exponent).value)) /
                                (2 * static_cast<double>(step));
      // The third derivative is at most 8 exponent^3, times step^2 / 6; rounding is 2^-24 / step.
      const double b = static_cast<double>(exponent);
      CHECK(std::fabs(difference - static_cast<double>(rounding_penalty(h, exponent).slope)) <=
            8 * b * b * b * 0x1p-18 / 6 + 8 * 0x1p-15);
    }
  }
  Full settled = soft_layer<Full>(100.0f);
  const Matrix u = levels_matrix(settled);
  settled.zero_gradients();
  int between = 0;
  for (const float level : u.values) between += level != std::floor(level);
  CHECK((add_rounding_penalty(settled, 1.0f, 2.0f) == 0.0) == (between == 0));
  randomize_adapter(settled, 1e6f, 3);
  CHECK(add_rounding_penalty(settled, 1.0f, 2.0f) == 0.0);
}

TEST_CASE("BoundedRounding: passes have the same bits on any number of threads", "[linear]") {
  const MachineSettings restored;
  const auto layer = soft_layer<method::LowRankAdaRound<4, 2>>(1.0f, 67, 301);
  const Matrix x = random_matrix(5, 301, 1.0f, 7), direction = random_matrix(5, 67, 1.0f, 8);
  set_thread_count(1);
  const Passes alone = run_passes(layer, x, direction);
  for (const int threads : thread_counts({2, 5})) {
    set_thread_count(threads);
    CHECK(run_passes(layer, x, direction) == alone);
  }
}

TEST_CASE("add_rounding_penalty: the same bits on any number of threads; a descent rounds",
          "[linear]") {
  const MachineSettings restored;
  std::vector<std::vector<std::uint32_t>> bits;
  std::vector<double> sums;
  for (const int threads : thread_counts({1, 2, 5})) {
    set_thread_count(threads);
    Low layer = soft_layer<Low>(1.0f, 300, 2600);
    layer.zero_gradients();
    sums.push_back(add_rounding_penalty(layer, 0.5f, 3.0f));
    bits.emplace_back();
    for (const auto& each : layer.parameters())
      for (const std::uint32_t word : bits_of(each.gradient)) bits.back().push_back(word);
    CHECK(sums.back() == sums.front());
    CHECK(bits.back() == bits.front());
  }
  Full layer = soft_layer<Full>(0.0f);
  const double at_first = add_rounding_penalty(layer, 1.0f, 2.0f);
  for (int step = 0; step < 300; ++step) {
    layer.zero_gradients();
    add_rounding_penalty(layer, 1.0f, 2.0f);
    for (const auto& each : layer.parameters())
      for (std::size_t i = 0; i < each.value.size(); ++i) each.value[i] -= 0.2f * each.gradient[i];
  }
  CHECK(add_rounding_penalty(layer, 1.0f, 2.0f) < 0.05 * at_first);
}

TEST_CASE("AdaRound: learned rounding beats rounding to nearest on its own outputs", "[linear]") {
  // Inputs in few directions: errors of weights can cancel in the outputs.
  const Matrix weight = random_matrix(8, 32, 0.3f, 1), x = random_matrix(6, 32, 1.0f, 2);
  method::AdaRound<3, Reference> layer(weight.view());
  Matrix target(6, 8), y(6, 8), grad_x(6, 32);
  dense_forward<float>(x.view(), weight.view(), target.view());
  const auto error_of = [&](const auto& trained) {
    trained.forward(x.view(), y.view());
    double sum = 0;
    for (std::size_t i = 0; i < y.values.size(); ++i) {
      y.values[i] -= target.values[i];
      sum += static_cast<double>(y.values[i] * y.values[i]);
    }
    return sum;
  };
  const double nearest = error_of(finalise(layer));
  const RoundingSchedule schedule(1000);
  for (std::uint64_t step = 0; step < 1000; ++step) {
    error_of(layer);
    layer.zero_gradients();
    layer.backward(x.view(), y.view(), grad_x.view());
    add_rounding_penalty(layer, 10.0f * static_cast<float>(schedule.weight(step)),
                         static_cast<float>(schedule.exponent(step)));
    for (const auto& each : layer.parameters())
      for (std::size_t i = 0; i < each.value.size(); ++i) each.value[i] -= each.gradient[i];
  }
  CHECK(error_of(finalise(layer)) < 0.5 * nearest);
}

}  // namespace
}  // namespace lrqat::test::learned_rounding_cases
