// SPDX-License-Identifier: MIT
// tests/linear/learned_input_linear.test.cpp: a static quantizer of inputs and what it learns.
#include <lrqat/linear/learned_input_linear.hpp>

#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>

namespace lrqat::test::learned_input_linear_cases {
namespace {

using Catch::Matchers::Contains;
using Dense = DenseLinear<float>;
template <int Bits, class ZeroPoint = RealZeroPoint>
using Behind = LearnedInputLinear<Dense, UInt<Bits>, ZeroPoint>;

constexpr std::size_t in = 37;

/// y is x_hat.
Dense identity(std::size_t size) {
  Matrix weight(size, size);
  for (std::size_t i = 0; i < size; ++i) weight(i, i) = 1;
  return Dense(weight.view(), {.training = Training::frozen});
}

template <class Layer>
Matrix output(const Layer& layer, const Matrix& x) {
  Matrix y(x.rows, layer.out_features());
  layer.forward(x.view(), y.view());
  return y;
}

TEST_CASE("LearnedInputLinear: inputs on the grid of one scale and zero point", "[linear]") {
  const TokenScale<float> start{0.25f, 2.5f};
  const Behind<3> layer(identity(in), start);
  CHECK(layer.steps() == 1);
  const Matrix x = random_matrix(9, in, 1.0f, 1), y = output(layer, x);
  std::size_t low = 0, high = 0;
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    const double code = std::nearbyint(double{x.values[i]} / 0.25) + 2.5;
    low += code < 0;
    high += code > 7;
    CHECK(double{y.values[i]} == 0.25 * (std::min(std::max(code, 0.0), 7.0) - 2.5));
  }
  CHECK(low > 0);
  CHECK(high > 0);
}

TEST_CASE("LearnedInputLinear: a range is met without clipping", "[linear]") {
  const auto real = Behind<4>::scale_of_range(-1.0f, 2.0f);
  CHECK(real.scale == 3.0f / 15);
  CHECK(real.zero_point == 1.0f / real.scale);
  const auto whole = Behind<4, IntegerZeroPoint>::scale_of_range(-1.1f, 2.0f);
  CHECK(whole.zero_point == std::nearbyint(whole.zero_point));
  CHECK(Behind<4>::scale_of_range(0.0f, 0.0f).scale == 1e-8f);
  CHECK_THROWS_WITH(Behind<4>::scale_of_range(2.0f, 1.0f), Contains("from 2 to 1 are no range"));
  CHECK_THROWS_AS(Behind<4>::scale_of_range(0.0f, INFINITY), Error);
}

TEST_CASE("LearnedInputLinear: gradients where codes are clipped are true derivatives",
          "[linear]") {
  // Whole numbers over powers of two: every sum is exact, and so are differences.
  Matrix x(2, 4), grad_y(2, 4);
  x.values = {-9, 8, 30, -40, 12, 12, -11, 25};
  grad_y.values = {1, 2, -3, 4, 5, -6, 7, 8};
  Behind<3> layer(identity(4), {0.5f, 3.0f});
  const auto loss = [&] {
    double sum = 0;
    const Matrix y = output(layer, x);
    for (std::size_t i = 0; i < y.values.size(); ++i)
      sum += double{y.values[i]} * double{grad_y.values[i]};
    return sum;
  };
  const Passes passes = run_passes(layer, x, grad_y);
  for (const float each : passes.grad_x.values) CHECK(each == 0);
  REQUIRE(passes.gradients.size() == 2);
  for (std::size_t p = 0; p < 2; ++p) {
    float& number = layer.parameters()[p].value[0];
    number += 0.125f;
    const double above = loss();
    number -= 0.25f;
    const double below = loss();
    number += 0.125f;
    CHECK(double{passes.gradients[p][0]} == (above - below) / 0.25);
  }
}

TEST_CASE("LearnedInputLinear: gradients inside are those of LSQ, straight through", "[linear]") {
  const TokenScale<float> start{0.3f, 7.25f};
  const Behind<4> layer(identity(in), start);
  const Matrix x = random_matrix(70, in, 1.2f, 2), grad_y = random_matrix(70, in, 1.0f, 3);
  const Passes passes = run_passes(layer, x, grad_y);
  double scale = 0, zero = 0, magnitude = 0;
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    const float u = x.values[i] / start.scale, code = std::nearbyint(u) + start.zero_point;
    const double g = grad_y.values[i];
    const bool inside = code >= 0 && code <= 15;
    const double end = (code < 0 ? 0.0 : 15.0) - double{start.zero_point};
    scale += g * (inside ? std::nearbyint(u) - double{u} : end);
    zero += inside ? 0.0 : -double{start.scale} * g;
    magnitude += std::fabs(g) * (inside ? 0.5 : 16.0);
    CHECK(passes.grad_x.values[i] == (inside ? grad_y.values[i] : 0.0f));
  }
  // Each term has at most three roundings in float32, the sum in double none that counts, and the
  // result one.
  CHECK(std::fabs(double{passes.gradients[0][0]} - scale) <= magnitude * 4 * 0x1p-24);
  CHECK(std::fabs(double{passes.gradients[1][0]} - zero) <= magnitude * 4 * 0x1p-24);
}

TEST_CASE("LearnedInputLinear: an integer zero point is rounded, and its gradient passes",
          "[linear]") {
  const Matrix x = random_matrix(5, in, 3.0f, 4), grad_y = random_matrix(5, in, 1.0f, 5);
  const Behind<4, IntegerZeroPoint> rounded(identity(in), {0.25f, 6.3f}),
      beyond(identity(in), {0.25f, -3.0f});
  CHECK(rounded.input_scale(0).zero_point == 6);
  CHECK(beyond.input_scale(0).zero_point == 0);
  CHECK(run_passes(rounded, x, grad_y) ==
        run_passes(Behind<4>(identity(in), {0.25f, 6.0f}), x, grad_y));
}

TEST_CASE("LearnedInputLinear: a scale below its floor is the floor, without a gradient",
          "[linear]") {
  Behind<4> layer(identity(in), {1.0f, 8.0f});
  layer.parameters()[0].value[0] = -1.0f;
  CHECK(layer.input_scale(0).scale == 1e-8f);
  const Matrix x = random_matrix(2, in, 1.0f, 6);
  const Passes passes = run_passes(layer, x, x);
  CHECK(passes.gradients[0][0] == 0);
  CHECK(passes.gradients[1][0] != 0);
}

TEST_CASE("LearnedInputLinear: NaN stays NaN", "[linear]") {
  const Behind<4> layer(identity(3), {0.25f, 8.0f});
  Matrix x(1, 3);
  x.values = {1, std::numeric_limits<float>::quiet_NaN(), INFINITY};
  const Dense sum(Matrix(1, 3, 1.0f).view());
  CHECK(std::isnan(output(LearnedInputLinear<Dense, UInt<4>>(sum, {0.25f, 8.0f}), x)(0, 0)));
  x.values[1] = 0;
  CHECK(output(layer, x)(0, 2) == 0.25f * 7);
}

TEST_CASE("LearnedInputLinear: merged at its step, with the same bits", "[linear]") {
  using Trained = QuantLinear<UInt<4>, Packed, LowRank<4>>;
  const Matrix weight = random_matrix(11, in, 0.3f, 7), x = random_matrix(6, in, 1.0f, 8);
  using Layer = LearnedInputLinear<Trained, UInt<8>>;
  Layer layer(Trained(weight.view()), Layer::scale_of_range(-2.0f, 2.5f), 2);
  layer.set_input_scale(1, {0.125f, 9.0f});
  for (const std::size_t step : {0u, 1u}) {
    layer.set_step(step);
    const auto merged = layer.merge();
    CHECK(merged.step() == step);
    CHECK(bits_of(output(merged, x).values) == bits_of(output(layer, x).values));
  }
  CHECK(bits_of(output(AnyLinear(layer).merge(), x).values) == bits_of(output(layer, x).values));
  CHECK(layer.bytes().scales == layer.layer().bytes().scales + 4 * sizeof(float));
}

TEST_CASE("LearnedInputLinear: in front of a branch beside the codes it does not merge",
          "[linear]") {
  using Layer = LearnedInputLinear<method::Qlora<4>, UInt<8>>;
  STATIC_REQUIRE(!Layer::merges);
  const Layer layer(method::Qlora<4>(random_matrix(11, 64, 0.3f, 7).view()), {0.1f, 128.0f});
  CHECK_THROWS_WITH(AnyLinear(layer).merge(), Contains("has an adapter beside them"));
}

TEST_CASE("LearnedInputLinear: the same bits for any number of threads", "[linear]") {
  const Matrix x = random_matrix(300, in, 1.0f, 9), grad_y = random_matrix(300, in, 1.0f, 10);
  const int before = thread_count();
  const auto passes_on = [&](int threads) {
    set_thread_count(threads);
    return run_passes(Behind<4>(identity(in), {0.1f, 8.0f}), x, grad_y);
  };
  const Passes one = passes_on(1), three = passes_on(3);
  set_thread_count(before);
  CHECK(one == three);
}

TEST_CASE("LearnedInputLinear: wrong scales and steps are errors", "[linear]") {
  CHECK_THROWS_WITH(Behind<4>(identity(3), {1.0f, 0.0f}, 0), Contains("0 steps"));
  CHECK_THROWS_WITH(Behind<4>(identity(3), {0.0f, 0.0f}), Contains("a scale of 0"));
  CHECK_THROWS_AS(Behind<4>(identity(3), {1.0f, NAN}), Error);
  Behind<4> layer(identity(3), {1.0f, 0.0f}, 2);
  CHECK_THROWS_WITH(layer.set_step(2), Contains("step 2 of 2"));
  CHECK_THROWS_WITH(layer.set_input_scale(2, {1.0f, 0.0f}), Contains("step 2 of 2"));
  CHECK_THROWS_AS(layer.set_input_scale(1, {-1.0f, 0.0f}), Error);
}

}  // namespace
}  // namespace lrqat::test::learned_input_linear_cases
