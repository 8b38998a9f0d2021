// SPDX-License-Identifier: MIT
// tests/method/efficient.test.cpp: EfficientQAT's two stages and EfficientDM's weights.
#include <lrqat/method/efficient_qat.hpp>

#include <lrqat/method/efficient_dm.hpp>
#include <lrqat/optim/adamw.hpp>

#include <linear/merge_check.hpp>

#include <cmath>
#include <concepts>

namespace lrqat::test::efficient_cases {
namespace {

using Catch::Matchers::Contains;
using BlockAp = method::BlockAp<3, 8>;
using EndToEnd = method::EndToEndQp<3, 8>;
using EfficientDm = method::EfficientDm<4, 4>;
static_assert(
    std::same_as<BlockAp, QuantLinear<UInt<3>, PerGroup<8>, Dense<float>, FullRank, WeightDomain,
                                      StraightThrough, MinMax, AdapterAndQParams>>);
static_assert(std::same_as<EndToEnd, method::Peqa<UInt<3>, PerGroup<8>>>);
static_assert(
    std::same_as<EfficientDm,
                 QuantLinear<UInt<4>, Packed, LowRank<4>, TiedWeightDomain, LpSearch<12, 5>>>);

const Matrix weight = random_matrix(13, 29, 0.3f, 1), x = random_matrix(7, 29, 1.0f, 2),
             grad_y = random_matrix(7, 13, 1.0f, 3);

/// AdamW on the gradients for `grad_y`.
template <class Layer>
void take_steps(Layer& layer, int steps, double rate) {
  AdamWOptions options;
  options.learning_rate = rate;
  AdamW optimizer(layer.parameters(), options);
  Matrix grad_x(7, 29);
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_gradients();
    layer.backward(x.view(), grad_y.view(), grad_x.view());
    optimizer.step();
  }
}

TEST_CASE("EfficientQAT: a zero point learns from what is clipped alone", "[method]") {
  std::vector<QParams> wide(13 * 4, QParams{0.5f, 3.0f}), narrow(13 * 4, QParams{0.05f, 3.0f});
  const Passes inside = run_passes(BlockAp(weight.view(), wide), x, grad_y);
  const Passes beyond = run_passes(BlockAp(weight.view(), narrow), x, grad_y);
  BlockAp layer(weight.view(), wide);
  REQUIRE(layer.parameters().back().name == "zero_point");
  CHECK(layer.parameters().back().role == Role::zero_point);
  CHECK(inside.gradients.back() == std::vector<float>(13 * 4, 0.0f));
  for (const float gradient : beyond.gradients.back()) CHECK(gradient != 0.0f);
}

TEST_CASE("EfficientQAT: from the first stage to the second, and to codes, the integers stay",
          "[method]") {
  BlockAp first(weight.view());
  const std::vector<int> start = levels_of(first);
  const auto zero_points = copy_of(first.weight().zero_points());
  take_steps(first, 30, 0.02);
  const std::vector<int> levels = levels_of(first);
  CHECK(levels != start);
  CHECK(copy_of(first.weight().zero_points()) != zero_points);
  CHECK(copy_of(first.weight().zero_points()) != copy_of(first.merge().zero_points()));

  EndToEnd second = first.convert_to<EndToEnd>();
  CHECK(levels_of(second) == levels);
  CHECK(weight_of(second).values == weight_of(first).values);
  const auto frozen = copy_of(second.weight().zero_points());
  REQUIRE(second.parameters().size() == 1);
  take_steps(second, 30, 1e-3);
  CHECK(levels_of(second) == levels);
  CHECK(copy_of(second.weight().zero_points()) == frozen);
  const auto merged = second.merge();
  int wrong = 0;
  for (std::size_t i = 0; i < 13; ++i)
    for (std::size_t j = 0; j < 29; ++j) {
      const float zero = merged.zero_points()[merged.layout().index(i, j)];
      wrong += merged.code(i, j) - static_cast<int>(zero) != levels[i * 29 + j];
    }
  CHECK(wrong == 0);
}

TEST_CASE("EfficientQAT, EfficientDM: merged layers have the same bits", "[method]") {
  check_merge<BlockAp>(13, 29);
  check_merge<EfficientDm>(17, 33);
}

TEST_CASE("EfficientQAT: a zero point that is no number is refused", "[method]") {
  BlockAp layer(weight.view());
  named(layer.parameters(), "zero_point").value[1] = NAN;
  CHECK_THROWS_WITH(layer.merge(), Contains("zero point 1 is not finite"));
}

TEST_CASE("EfficientDM: the start is the integers themselves", "[method]") {
  const EfficientDm layer(weight.view());
  const QuantLinear<UInt<4>, ScaleOnly, LpSearch<12, 5>> base(weight.view());
  CHECK(levels_of(layer) == levels_of(base));
  CHECK(weight_of(layer).values == weight_of(base).values);
}

TEST_CASE("EfficientDM: on frozen scales, LR-QAT on integers with A B / s is the same",
          "[method]") {
  // Scales are powers of two, so that dividing by them rounds nothing, ties included.
  std::vector<QParams> cells;
  for (int i = 0; i < 13; ++i)
    cells.push_back({std::ldexp(1.0f, -3 - i % 2), static_cast<float>(5 + i % 4)});
  EfficientDm tied(weight.view(), cells);
  QuantLinear<UInt<4>, Packed, LowRank<4>> inside(weight.view(), cells);
  randomize_adapter(tied, 0.3f, 4);
  randomize_adapter(inside, 0.3f, 4);
  const auto a = named(inside.parameters(), "A").value;
  for (std::size_t i = 0; i < a.size(); ++i) a[i] /= cells[i / 4].scale;
  const std::vector<int> levels = levels_of(tied);
  CHECK(levels == levels_of(inside));
  CHECK(levels != levels_of(EfficientDm(weight.view(), cells)));
  CHECK(weight_of(tied).values == weight_of(inside).values);
  // Gradients: L / A here is L / (A / s) there over s, and s learns by LSQ's rule.
  const Passes here = run_passes(tied, x, grad_y), there = run_passes(inside, x, grad_y);
  for (std::size_t i = 0; i < a.size(); ++i)
    CHECK(here.gradients[0][i] == there.gradients[0][i] / cells[i / 4].scale);
  CHECK(here.gradients[2] != there.gradients[2]);
}

TEST_CASE("EfficientDM: an adapter's rate is a part of its layer's mean scale", "[method]") {
  std::vector<float> values(3), other(3), scales{0.25f, 0.5f, 0.75f};
  const Parameters<float> all{{"q.A", Role::adapter, values, values},
                              {"q.scale", Role::scale, scales, scales},
                              {"k.A", Role::adapter, other, other},
                              {"k.scale", Role::scale, values, values},
                              {"norm", Role::norm, other, other}};
  values = {1, 2, 3};
  CHECK(method::scale_aware_factors(all) == std::vector<double>{0.5, 1, 2, 1, 1});
  CHECK_THROWS_WITH(method::scale_aware_factors({{"q.A", Role::adapter, values, values}}),
                    Contains("'q.A' has no scale beside it"));
}

TEST_CASE("EfficientDM: a denoising step has a quantizer of inputs of its own", "[method]") {
  using Layer = method::EfficientDmInputs<4, 4, 4>;
  Layer layer(EfficientDm(weight.view()), Layer::scale_of_range(-3.0f, 3.0f), 3);
  const auto output = [&](std::size_t step) {
    layer.set_step(step);
    Matrix y(x.rows, layer.out_features());
    layer.forward(x.view(), y.view());
    return y.values;
  };
  const std::vector<float> before = output(0);
  CHECK(output(1) == before);
  CHECK(output(2) == before);
  named(layer.parameters(), "input.scale").value[1] *= 1.5f;
  CHECK(output(0) == before);
  CHECK(output(1) != before);
  CHECK(output(2) == before);

  layer.set_step(2);
  const Passes passes = run_passes(layer, x, grad_y);
  const std::size_t inputs = passes.gradients.size() - 2;  // scale, then zero point
  CHECK(passes.gradients[inputs][2] != 0);
  for (const std::size_t step : {0u, 1u})
    for (const std::size_t which : {inputs, inputs + 1}) CHECK(passes.gradients[which][step] == 0);
}

}  // namespace
}  // namespace lrqat::test::efficient_cases
