// SPDX-License-Identifier: MIT
// tests/method/pb_llm.test.cpp: one bit for most weights, salient ones off the grid.
#include <lrqat/lrqat.hpp>
#include <lrqat/optim/adamw.hpp>

#include <method/measured_check.hpp>
#include <support/exact_product.hpp>

#include <concepts>

namespace lrqat::test::pb_llm_cases {
namespace {

using Catch::Matchers::Contains;
using PbLlm = method::PbLlm<>;

static_assert(
    std::same_as<method::PbLlm<Reference>,
                 QuantLinear<Reference, Salient<SymmetricInt<8>>, Sign, FullRank, WeightDomain,
                             MeasuredScale, MeanMagnitude, StraightThroughUnclipped>>);
static_assert(!PbLlm::merges && !PbLlm::holds_in_levels);

const WeightSet tenth = salient_by_magnitude(weight.view(), 0.1);

/// The mean |w| of a row's weights that are not salient.
double alpha_of(std::span<const float> values, std::size_t row, const WeightSet& set) {
  double sum = 0;
  for (std::size_t j = 0; j < in; ++j)
    if (!set.contains(row, j)) sum += std::fabs(static_cast<double>(values[row * in + j]));
  return sum / static_cast<double>(in - set.row(row).size());
}

void check_weight(const Matrix& w_hat, std::span<const float> latent) {
  for (std::size_t i = 0; i < out; ++i) {
    const auto alpha = static_cast<float>(alpha_of(latent, i, tenth));
    for (std::size_t j = 0; j < in; ++j)
      if (!tenth.contains(i, j))
        CHECK(w_hat(i, j) == Approx(latent[i * in + j] > 0 ? alpha : -alpha).epsilon(1e-6));
  }
}

TEST_CASE("PB-LLM: alpha sign(w), and eight bits for the salient weights", "[method]") {
  const auto layer = salient_layer<PbLlm>(weight.view(), tenth);
  const Matrix w_hat = weight_of(layer);
  check_weight(w_hat, weight.values);
  std::size_t salient = 0;
  for (std::size_t i = 0; i < out; ++i) {
    float most = 0;
    for (const std::uint32_t j : tenth.row(i)) most = std::max(most, std::fabs(weight(i, j)));
    for (const std::uint32_t j : tenth.row(i)) {
      ++salient;
      CHECK(std::fabs(w_hat(i, j) - weight(i, j)) <= 0.5001f * most / 127);
    }
  }
  CHECK(salient == 106);  // a tenth of 11 * 96

  // The mean of |w| is the best alpha for the signs: any other is farther from the weights.
  for (std::size_t i = 0; i < out; ++i) {
    const auto error = [&](double alpha) {
      double sum = 0;
      for (std::size_t j = 0; j < in; ++j) {
        const auto w = static_cast<double>(weight(i, j));
        if (!tenth.contains(i, j)) sum += std::pow(w - std::copysign(alpha, w), 2);
      }
      return sum;
    };
    const double alpha = static_cast<double>(layer.weight().scales()[i]) / 2;
    CHECK(error(alpha) < error(alpha * 1.001));
    CHECK(error(alpha) < error(alpha * 0.999));
  }
}

TEST_CASE("PB-LLM: outputs and gradients are those of W_hat, straight through off the salient set",
          "[method]") {
  const auto layer = salient_layer<PbLlm>(weight.view(), tenth);
  const Matrix w_hat = weight_of(layer);
  const Passes passes = run_passes(layer, x, grad_y);
  CHECK(far_from_product(x, w_hat, passes.y) == 0);
  CHECK(far_from_product(grad_y, transposed(w_hat), passes.grad_x) == 0);
  REQUIRE(passes.gradients.size() == 1);
  const Matrix columns_of_x = transposed(x), columns_of_grad = transposed(grad_y);
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; ++j) {
      const float found = passes.gradients[0][i * in + j];
      const ExactSum wanted = exact_dot(columns_of_grad.view().row(i), columns_of_x.view().row(j));
      CHECK((tenth.contains(i, j) ? found == 0.0f : wanted.is_near(double{found})));
    }
  Matrix y(tokens, out);
  layer.dense().forward(x.view(), y.view());
  CHECK(bits_of(weight_of(layer).values) ==
        bits_of(std::span(layer.dense().weight().data, w_hat.values.size())));
  CHECK(far_from_product(x, w_hat, y) == 0);
}

TEST_CASE("PB-LLM: training moves no salient weight, and alpha follows the others", "[method]") {
  auto layer = salient_layer<PbLlm>(weight.view(), tenth);
  const Matrix before = weight_of(layer);
  AdamWOptions options;
  options.learning_rate = 0.05;
  options.weight_decay = 0.3;  // which moves entries without a gradient too
  AdamW optimizer(layer.parameters(), options);
  Matrix grad_x(tokens, in);
  for (int i = 0; i < 4; ++i) {
    layer.zero_gradients();
    layer.backward(x.view(), grad_y.view(), grad_x.view());
    optimizer.step();
    layer.after_step();
  }
  const Matrix after = weight_of(layer);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; ++j) {
      if (tenth.contains(i, j)) CHECK(after(i, j) == before(i, j));
      moved += after(i, j) != before(i, j);
    }
  CHECK(moved == out * in - tenth.size());  // alpha of every row is another
  check_weight(after, layer.parameters().front().value);

  layer.parameters().front().value[5] = std::nanf("");
  CHECK_THROWS_WITH(layer.after_step(), Contains("weight (0, 5) is not finite"));
}

TEST_CASE("PB-LLM: nothing salient is a sign, everything salient is eight bits", "[method]") {
  using Plain = QuantLinear<Sign, FullRank, WeightDomain, StraightThroughUnclipped, MeanMagnitude,
                            MeasuredScale>;
  const auto none = salient_layer<PbLlm>(weight.view(), salient_by_magnitude(weight.view(), 0));
  CHECK(run_passes(none, x, grad_y) == run_passes(Plain(weight.view()), x, grad_y));

  const auto all = salient_layer<PbLlm>(weight.view(), salient_by_magnitude(weight.view(), 1));
  const auto rounded = round_to_nearest<SymmetricInt<8>>(weight.view());
  CHECK(weight_of(all).values == std::vector<float>(rounded.values.begin(), rounded.values.end()));
  for (const float scale : all.weight().scales()) CHECK(scale == scale_floor);
  const Passes passes = run_passes(all, x, grad_y);
  for (const float gradient : passes.gradients[0]) CHECK(gradient == 0.0f);
}

}  // namespace
}  // namespace lrqat::test::pb_llm_cases
