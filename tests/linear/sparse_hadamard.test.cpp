// SPDX-License-Identifier: MIT
// tests/linear/sparse_hadamard.test.cpp: layers with a sparse Walsh-Hadamard adapter, in every
// placement.
#include <lrqat/grid/unrounded.hpp>
#include <lrqat/linear/quant_linear.hpp>

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <cmath>

#include "merge_check.hpp"

namespace lrqat::test::sparse_hadamard_cases {
namespace {

using Adapter = SparseHadamard<dynamic>;
using Inside = QuantLinear<Int<4>, Adapter>;
using InWeights = QuantLinear<Int<4>, Adapter, WeightDomain, PerGroup<48>, Reference>;
using Beside = QuantLinear<Int<4>, Adapter, Parallel>;

static_assert(std::same_as<Inside, QuantLinear<Int<4>, Adapter, InsideRounding, FixedPoint>>);
static_assert(std::same_as<Beside, QuantLinear<Int<4>, Adapter, Parallel, Packed>>);
static_assert(Inside::merges && InWeights::merges && !Beside::merges);
static_assert(std::same_as<method::QwhaInside<4, 8>, QuantLinear<Int<4>, SparseHadamard<8>>>);
static_assert(!method::Qwha<4, 8>::merges);

QuantOptions of_rank(std::size_t rank) {
  QuantOptions options;
  options.rank = rank;
  return options;
}

template <class Layer>
Layer layer_of(std::size_t out, std::size_t in, float spread = 1.0f) {
  Layer layer(random_matrix(out, in, 0.3f, 1).view(), of_rank(2));
  randomize_adapter(layer, spread, 4);
  return layer;
}

/// Both passes and the levels on Cpu with any threads and instruction set, in column blocks that
/// cut the transform's and that do not, against Reference, which has one tile.
template <class Layer, class OnReference>
void check_backends() {
  const MachineSettings restored;
  for (const Shape shape : {Shape{37, 53}, Shape{19, 172}, Shape{300, 192}, Shape{9, 640}}) {
    INFO("(" << shape.rows << ", " << shape.cols << ")");
    const Matrix x = random_matrix(5, shape.cols, 1.0f, 2),
                 grad_y = random_matrix(5, shape.rows, 1.0f, 3);
    const auto reference = layer_of<OnReference>(shape.rows, shape.cols);
    const auto layer = layer_of<Layer>(shape.rows, shape.cols);
    const Passes expected = run_passes(reference, x, grad_y);
    const Matrix weight = weight_of(reference);
    CHECK(bits_of(weight_of(layer).values) == bits_of(weight.values));
    set_thread_count(1);
    const Passes alone = run_passes(layer, x, grad_y);
    const auto near = [](std::span<const float> got, std::span<const float> wanted, double terms) {
      double largest = 0, worst = 0;
      for (std::size_t i = 0; i < got.size(); ++i) {
        largest = std::max(largest, std::fabs(static_cast<double>(wanted[i])));
        worst = std::max(worst,
                         std::fabs(static_cast<double>(got[i]) - static_cast<double>(wanted[i])));
      }
      CHECK(largest > 0);
      CHECK(worst <= terms * 0x1p-24 * 8 * largest);  // terms are at most eight of the largest sum
    };
    near(alone.y.values, expected.y.values, static_cast<double>(shape.cols));
    near(alone.grad_x.values, expected.grad_x.values, static_cast<double>(shape.rows));
    near(alone.gradients[0], expected.gradients[0], static_cast<double>(shape.cols));
    for (const kernel::Isa isa : isas_of_machine()) {
      kernel::set_active_isa(isa);
      set_thread_count(1);
      CHECK(bits_of(weight_of(layer).values) == bits_of(weight.values));
      const Passes one_thread = run_passes(layer, x, grad_y);
      CHECK(bits_of(one_thread.y.values) == bits_of(alone.y.values));
      for (const int threads : thread_counts({2, 5})) {
        set_thread_count(threads);
        CHECK(run_passes(layer, x, grad_y) == one_thread);
      }
    }
  }
}

TEST_CASE("SparseHadamard: the rounding has the same bits for any tile, thread and instruction set",
          "[linear]") {
  check_backends<Inside, QuantLinear<Int<4>, Adapter, Reference>>();
}

TEST_CASE("SparseHadamard: beside the rounding the same", "[linear]") {
  check_backends<Beside, QuantLinear<Int<4>, Adapter, Parallel, Reference>>();
}

TEST_CASE("SparseHadamard: merges exactly inside the rounding and in the weight domain",
          "[linear]") {
  check_merge<Inside>(37, 96, of_rank(3));
  check_merge<Inside>(13, 53, of_rank(2));
  check_merge<InWeights>(11, 172, of_rank(2));
}

TEST_CASE("SparseHadamard: a trained adapter moves integers; at first it changes none",
          "[linear]") {
  const Matrix weight = random_matrix(24, 96, 0.3f, 1);
  const Inside layer(weight.view(), of_rank(2));
  QuantOptions without_gain = of_rank(2);
  without_gain.alpha = 0;
  Inside base(weight.view(), without_gain);
  randomize_adapter(base, 1.0f, 4);
  CHECK(levels_of(layer) == levels_of(base));
  CHECK(levels_of(layer_of<Inside>(24, 96)) != levels_of(base));
}

/// On a grid without rounding and without a clipped weight, y is linear in every coefficient: a
/// central difference is exact but for rounding.
template <class Placement>
void check_differences() {
  using Layer = QuantLinear<Unrounded<Int<3>>, Adapter, Placement, Dense<float>, Reference>;
  constexpr std::size_t out = 5, in = 24, tokens = 4;
  const std::vector<QParams> scales(out, {0.5f, 0.0f});
  Layer layer(random_matrix(out, in, 0.3f, 1).view(), scales, of_rank(2));
  randomize_adapter(layer, 0.1f, 2);
  const Matrix x = random_matrix(tokens, in, 1.0f, 7),
               direction = random_matrix(tokens, out, 1.0f, 8);
  const auto loss = [&] {
    Matrix y(tokens, out);
    layer.forward(x.view(), y.view());
    double sum = 0;
    for (std::size_t i = 0; i < y.values.size(); ++i)
      sum += static_cast<double>(y.values[i]) * static_cast<double>(direction.values[i]);
    return sum;
  };
  const Passes passes = run_passes(layer, x, direction);
  const auto coefficients = layer.parameters()[0].value;
  REQUIRE(coefficients.size() == 2 * (out + in));
  // 5 * 4 outputs of up to 24 terms |x w| < 3 each, 16 roundings a weight, over twice the step.
  constexpr double noise = 20 * 24 * 3 * 16 * 0x1p-24;
  for (std::size_t e = 0; e < coefficients.size(); ++e) {
    const float kept = coefficients[e], step = 0.25f;
    coefficients[e] = kept + step;
    const double above = loss();
    coefficients[e] = kept - step;
    const double below = loss();
    coefficients[e] = kept;
    INFO("coefficient " << e);
    CHECK(std::fabs((above - below) / (2.0 * static_cast<double>(step)) -
                    static_cast<double>(passes.gradients[0][e])) <= noise / 0.25);
  }
}

TEST_CASE("SparseHadamard: gradients are differences, in every placement", "[linear]") {
  check_differences<Parallel>();
  check_differences<InsideRounding>();
  check_differences<WeightDomain>();
}

TEST_CASE("SparseHadamard: bytes count the places too", "[linear]") {
  const Inside layer(random_matrix(16, 64, 0.3f, 1).view(), of_rank(2));
  // 160 floats, 160 columns, 17 starts, and the signs of 2 x 2 blocks of 32.
  CHECK(layer.bytes().adapter == 160 * 8 + 17 * sizeof(std::size_t) + 4 * 4);
  CHECK(layer.bytes().gradients == 160 * 4 + 16 * 4);
}

}  // namespace
}  // namespace lrqat::test::sparse_hadamard_cases
