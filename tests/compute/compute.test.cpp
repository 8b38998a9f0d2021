// SPDX-License-Identifier: MIT
// tests/compute/compute.test.cpp: products of bfloat16 operands in a layer that stays the same.
#include <lrqat/compute/compute.hpp>

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/granularity/per_group.hpp>
#include <lrqat/granularity/per_tensor.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/linear/merged_weight.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/weight_domain.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace lrqat {
namespace {

std::vector<float> normal_numbers(std::size_t count, std::uint64_t seed) {
  std::vector<float> values(count);
  const CounterRng random(seed, 0);
  for (std::size_t i = 0; i < count; ++i) values[i] = random.normal(i);
  return values;
}

/// One layer and everything that a step of it gives.
template <class Layer>
struct Step {
  static constexpr std::size_t out = 37, in = 70, tokens = 19;
  Layer layer;
  std::vector<float> x, grad_y, y, grad_x;

  explicit Step(std::size_t threads = 1)
      : layer(made()),
        x(normal_numbers(tokens * in, 2)),
        grad_y(normal_numbers(tokens * out, 3)),
        y(tokens * out),
        grad_x(tokens * in) {
    const int before = thread_count();
    set_thread_count(static_cast<int>(threads));
    layer.forward({x.data(), tokens, in}, {y.data(), tokens, out});
    layer.backward({x.data(), tokens, in}, {grad_y.data(), tokens, out},
                   {grad_x.data(), tokens, in});
    set_thread_count(before);
  }
  static Layer made() {
    const std::vector<float> weight = normal_numbers(out * in, 1);
    Layer layer({weight.data(), out, in});
    for (const auto& parameter : layer.parameters())
      if (parameter.name == "A") {
        const std::vector<float> values = normal_numbers(parameter.value.size(), 4);
        std::copy(values.begin(), values.end(), parameter.value.begin());
      }
    return layer;
  }
};

float largest(const std::vector<float>& values) {
  float most = 0;
  for (const float value : values) most = std::max(most, std::fabs(value));
  return most;
}

/// Sums of 19 to 70 products whose factors are rounded by 2^-9 at most: sizes of the results are
/// about the root of the number of terms, errors 2^-8 of that; three times as much is allowed.
void check_near(const std::vector<float>& some, const std::vector<float>& expected) {
  REQUIRE(some.size() == expected.size());
  const float bound = 3 * 0x1p-8f * largest(expected);
  for (std::size_t i = 0; i < some.size(); ++i) REQUIRE(std::fabs(some[i] - expected[i]) <= bound);
}

template <class... Policies>
void check() {
  using Float = QuantLinear<Policies..., LowRank<3>>;
  using Rounded = QuantLinear<Policies..., LowRank<3>, Compute<bf16>>;
  Step<Float> expected;
  Step<Rounded> step, on_three_threads(3);

  const auto merged = step.layer.merge();
  const auto other = expected.layer.merge();
  CHECK(merged_weight(merged).codes == merged_weight(other).codes);
  std::vector<float> merged_y(step.y.size());
  merged.forward({step.x.data(), step.tokens, step.in}, {merged_y.data(), step.tokens, step.out});
  CHECK(merged_y == step.y);

  CHECK(step.y != expected.y);
  check_near(step.y, expected.y);
  check_near(step.grad_x, expected.grad_x);
  const auto gradients = step.layer.gradients(), others = expected.layer.gradients(),
             threaded = on_three_threads.layer.gradients();
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    INFO(gradients[i].name);
    const auto copied = [](std::span<const float> values) {
      return std::vector<float>(values.begin(), values.end());
    };
    check_near(copied(gradients[i].values), copied(others[i].values));
    CHECK(copied(gradients[i].values) == copied(threaded[i].values));
  }
  CHECK(step.y == on_three_threads.y);
  CHECK(step.grad_x == on_three_threads.grad_x);
}

TEST_CASE("Compute<bf16>: same integers, near results, merged to the same bits", "[compute]") {
  check<Int<4>, PerChannel>();
  check<Int<8>, PerTensor>();
  check<UInt<4>, PerChannel>();
  check<Int<4>, PerGroup<16>>();
  check<Int<3>, PerChannel, WeightDomain>();
}

TEST_CASE("Compute<bf16>: levels and inputs that bfloat16 holds give exact sums", "[compute]") {
  // Weights k s with one scale a row that is a power of two, and x of small integers.
  const std::size_t out = 5, in = 33, tokens = 4;
  std::vector<float> weight(out * in), x(tokens * in), y(tokens * out), expected(tokens * out);
  for (std::size_t i = 0; i < weight.size(); ++i)
    weight[i] = 0.125f * static_cast<float>(static_cast<int>(i * 7 % 16) - 8);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(static_cast<int>(i * 5 % 31) - 15);
  const std::vector<QParams> qparams(out, QParams{0.125f, 0.0f});
  const QuantLinear<Int<4>, LowRank<2>, Compute<bf16>> rounded({weight.data(), out, in}, qparams);
  const QuantLinear<Int<4>, LowRank<2>> plain({weight.data(), out, in}, qparams);
  rounded.forward({x.data(), tokens, in}, {y.data(), tokens, out});
  plain.forward({x.data(), tokens, in}, {expected.data(), tokens, out});
  CHECK(y == expected);
}

TEST_CASE("Compute<float>: is the layer without it", "[compute]") {
  STATIC_REQUIRE(std::is_same_v<QuantLinear<Int<4>, LowRank<2>, Compute<float>>,
                                QuantLinear<Int<4>, LowRank<2>>>);
  STATIC_REQUIRE_FALSE(std::is_same_v<QuantLinear<Int<4>, LowRank<2>, Compute<bf16>>,
                                      QuantLinear<Int<4>, LowRank<2>>>);
}

}  // namespace
}  // namespace lrqat
