// SPDX-License-Identifier: MIT
// tests/method/methods.test.cpp: the named methods are the layers that their papers describe.
#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <concepts>

namespace lrqat::test::methods_cases {
namespace {

static_assert(std::same_as<method::LrQat<4, 32>,
                           QuantLinear<Int<4>, PerChannel, FixedPoint, LowRank<32>, InsideRounding,
                                       StraightThrough, LpSearch<4>, AdapterAndScale>>);
static_assert(std::same_as<method::LrQat<3, 8, PerGroup<128>, Packed>,
                           QuantLinear<Packed, Int<3>, LowRank<8>, PerGroup<128>, LpSearch<4>>>);
static_assert(std::same_as<method::FullQat<4>,
                           QuantLinear<Int<4>, PerChannel, Dense<float>, FullRank, WeightDomain,
                                       StraightThrough, MinMax, AdapterAndScale>>);
static_assert(std::same_as<method::LsqPaper<2>, QuantLinear<Int<2>, FullRank, WeightDomain, Lsq>>);
static_assert(std::same_as<method::Peqa<Int<4>>,
                           QuantLinear<Int<4>, NoAdapter, Packed, ScaleOnly, InsideRounding>>);
static_assert(std::same_as<method::AdaRound<4>,
                           QuantLinear<Unrounded<Int<4>>, PerChannel, Dense<float>, FullRankDelta,
                                       BoundedRounding, LpSearch<12, 5>, AdapterOnly>>);
static_assert(std::same_as<method::LowRankAdaRound<4, 8>,
                           QuantLinear<Unrounded<Int<4>>, PerChannel, FixedPoint, LowRank<8>,
                                       BoundedRounding, LpSearch<12, 5>, AdapterOnly>>);
static_assert(std::same_as<method::DoubleRounding<BitWidths<8, 4>>::layer_of<4>,
                           QuantLinear<Nested<8, 4>, FullRank, WeightDomain>>);
static_assert(std::same_as<method::NestedLrQat<BitWidths<8, 4>, 16>::layer_of<8>,
                           QuantLinear<Int<8>, FixedPoint, LowRank<16>, InsideRounding>>);

const Matrix weight = random_matrix(10, 24, 0.3f, 1);
const Matrix x = random_matrix(7, 24, 1.0f, 2), grad_y = random_matrix(7, 10, 1.0f, 3);

/// Gradient descent on sum(y * grad_y).
template <class Layer>
void take_steps(Layer& layer, int steps) {
  Matrix grad_x(7, 24);
  for (int step = 0; step < steps; ++step) {
    layer.zero_gradients();
    layer.backward(x.view(), grad_y.view(), grad_x.view());
    for (const Parameter<float>& each : layer.parameters())
      for (std::size_t i = 0; i < each.value.size(); ++i) each.value[i] -= 1e-4f * each.gradient[i];
  }
}

template <class Layer>
void check_peqa() {
  Layer layer(weight.view());
  const std::vector<int> levels = levels_of(layer);
  const std::vector<float> scales = copy_of(layer.weight().scales());
  const auto zero_points = copy_of(layer.weight().zero_points());
  REQUIRE(layer.parameters().size() == 1);
  take_steps(layer, 20);
  CHECK(levels_of(layer) == levels);
  CHECK(copy_of(layer.weight().zero_points()) == zero_points);
  CHECK(copy_of(layer.weight().scales()) != scales);
}

TEST_CASE("PEQA: training moves the scales and no integer", "[method]") {
  check_peqa<method::Peqa<Int<4>>>();
  check_peqa<method::Peqa<UInt<3>, PerGroup<8>>>();
}

TEST_CASE("PEQA: the integers are those of rounding to nearest", "[method]") {
  const method::Peqa<Int<4>> layer(weight.view());
  const auto levels = levels_of(layer);
  for (std::size_t i = 0; i < weight.rows; ++i)
    for (std::size_t j = 0; j < weight.cols; ++j)
      CHECK(levels[i * weight.cols + j] ==
            static_cast<int>(Int<4>::round(weight(i, j) / layer.weight().scales()[i])));
}

TEST_CASE("LR-QAT: training moves adapter, scales and integers; base and s0 stay", "[method]") {
  method::LrQat<4, 4> layer(weight.view());
  const std::vector<int> levels = levels_of(layer);
  const auto frozen = layer.weight().base();
  const std::vector<std::byte> base(frozen.begin(), frozen.end());
  for (int i = 0; i < 100; ++i) {
    Matrix grad_x(7, 24);
    layer.zero_gradients();
    layer.backward(x.view(), grad_y.view(), grad_x.view());
    for (const Parameter<float>& each : layer.parameters())
      for (std::size_t k = 0; k < each.value.size(); ++k)
        each.value[k] -= (each.role == Role::scale ? 1e-4f : 1.0f) * each.gradient[k];
  }
  CHECK(levels_of(layer) != levels);
  CHECK(std::equal(base.begin(), base.end(), layer.weight().base().begin()));
}

TEST_CASE("LR-QAT: ds is that of LSQ plus the part of the frozen inner scale", "[method]") {
  // At A B = 0, s = s0 and phi = identity the difference is sum M G W / s (lr-qat, section 1.5).
  const std::vector<QParams> scales(10, {0.1f, 0.0f});
  const method::LrQat<4, 4, Dense<float>> inside(weight.view(), scales);
  const Passes lr_qat = run_passes(inside, x, grad_y);
  const Passes lsq = run_passes(method::FullQat<4>(weight.view(), scales), x, grad_y);
  CHECK(bits_of(lr_qat.y.values) == bits_of(lsq.y.values));
  for (std::size_t i = 0; i < 10; ++i) {
    double part = 0, magnitude = 0;
    for (std::size_t j = 0; j < 24; ++j) {
      double g = 0, terms = 0;
      for (std::size_t t = 0; t < 7; ++t) {
        const double term = static_cast<double>(grad_y(t, i)) * static_cast<double>(x(t, j));
        g += term, terms += std::fabs(term);
      }
      const float u = weight(i, j) / 0.1f, level = Int<4>::round(u);
      if (level == Int<4>::clip(level, 0.0f)) part += g * static_cast<double>(u);
      magnitude += terms * std::fabs(static_cast<double>(u));
    }
    // Two sums of 24 terms, each a sum of 7 times a level or level - u.
    const double bound = 2 * (24 + 7 + 4) * 0x1p-24 * magnitude;
    CHECK(std::fabs(static_cast<double>(lr_qat.gradients.back()[i]) -
                    static_cast<double>(lsq.gradients.back()[i]) - part) <= bound);
  }
}

TEST_CASE("LSQ: the paper masks at the ends and scales the scale's gradient", "[method]") {
  const std::vector<QParams> scales(10, {0.1f, 0.0f});
  const Passes full = run_passes(method::FullQat<4>(weight.view(), scales), x, grad_y);
  const Passes paper = run_passes(method::LsqPaper<4>(weight.view(), scales), x, grad_y);
  CHECK(bits_of(full.y.values) == bits_of(paper.y.values));
  CHECK(bits_of(full.grad_x.values) == bits_of(paper.grad_x.values));
  const float factor = Lsq::scale_factor(24, 7.0f);
  int inside = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    bool at_the_ends = false;
    for (std::size_t j = 0; j < 24; ++j) {
      const float u = weight(i, j) / 0.1f;
      const float masked = paper.gradients[0][i * 24 + j], passed = full.gradients[0][i * 24 + j];
      const bool within = u > -8.0f && u < 7.0f;
      inside += within;
      CHECK((within ? masked == passed : masked == 0.0f));
      at_the_ends |= !within && Int<4>::round(u) == Int<4>::clip(Int<4>::round(u), 0.0f);
    }
    if (!at_the_ends) CHECK(paper.gradients[1][i] == factor * full.gradients[1][i]);
  }
  CHECK(inside > 200);
  CHECK(inside < 240);
}

}  // namespace
}  // namespace lrqat::test::methods_cases
