// SPDX-License-Identifier: MIT
// tests/method/measured_methods.test.cpp: LLM-QAT and ternary weights.
#include <lrqat/lrqat.hpp>

#include <method/measured_check.hpp>

#include <concepts>
#include <set>

namespace lrqat::test::measured_methods_cases {
namespace {

static_assert(std::same_as<method::LlmQat<4>,
                           QuantLinear<SymmetricInt<4>, FullRank, WeightDomain, MeasuredScale, MinMax,
                                       StraightThroughUnclipped, SymmetricInput<8>>>);
static_assert(std::same_as<method::LlmQat<2, 16>,
                           QuantLinear<MidRise<2>, FullRank, WeightDomain, MeasuredScale,
                                       MeanMagnitude, StraightThroughUnclipped>>);
static_assert(std::same_as<method::TernaryWeights<SymmetricInput<8>>,
                           QuantLinear<Ternary, PerTensor, FullRank, WeightDomain, MeasuredScale,
                                       TwnScale, StraightThroughUnclipped, SymmetricInput<8>>>);

TEST_CASE("LLM-QAT, ternary weights: scales follow the weight, merging is exact", "[method]") {
  check_measured<method::LlmQat<4, 16>>();
  check_measured<method::TernaryWeights<>>();
}

TEST_CASE("LLM-QAT: row maxima are reproduced, every gradient passes", "[method]") {
  const method::LlmQat<4, 16> layer(weight.view());
  const Matrix w_hat = weight_of(layer);
  for (std::size_t i = 0; i < out; ++i) {
    std::size_t at = 0;
    for (std::size_t j = 0; j < in; ++j)
      if (std::fabs(weight(i, j)) > std::fabs(weight(i, at))) at = j;
    CHECK(std::fabs(w_hat(i, at) - weight(i, at)) <= std::fabs(weight(i, at)) * 0x1p-22f);
  }
  const Passes passes = run_passes(layer, x, grad_y);
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; ++j) {
      double sum = 0, terms = 0;
      for (std::size_t t = 0; t < tokens; ++t) {
        const double term = static_cast<double>(grad_y(t, i)) * static_cast<double>(x(t, j));
        sum += term, terms += std::fabs(term);
      }
      CHECK(std::fabs(static_cast<double>(passes.gradients[0][i * in + j]) - sum) <=
            terms * tokens * 0x1p-24);
    }
}

TEST_CASE("LLM-QAT: two bits have the levels +-m/2 and +-3m/2 of their row", "[method]") {
  const Matrix w_hat = weight_of(method::LlmQat<2, 16>(weight.view()));
  for (std::size_t i = 0; i < out; ++i) {
    const auto mean = static_cast<float>(mean_magnitude(weight.view().row(i)));
    const std::span<const float> row = w_hat.view().row(i);
    CHECK(std::set<float>(row.begin(), row.end()) ==
          std::set<float>{-1.5f * mean, -0.5f * mean, 0.5f * mean, 1.5f * mean});
  }
}

TEST_CASE("Ternary weights: three values, cut at the threshold and not at half of alpha",
          "[method]") {
  const method::TernaryWeights<> layer(weight.view());
  const Matrix w_hat = weight_of(layer);
  const std::set<float> values(w_hat.values.begin(), w_hat.values.end());
  CHECK(values.size() == 3);
  const double threshold = 0.7 * mean_magnitude(weight.values);
  double sum = 0;
  std::size_t survivors = 0, between = 0;
  for (std::size_t i = 0; i < w_hat.values.size(); ++i) {
    const double magnitude = std::fabs(static_cast<double>(weight.values[i]));
    CHECK((w_hat.values[i] != 0.0f) == (magnitude > threshold));
    if (magnitude > threshold) sum += magnitude, ++survivors;
    between += magnitude > threshold && magnitude < static_cast<double>(*values.rbegin()) / 2;
  }
  CHECK(between > 0);
  CHECK(static_cast<double>(*values.rbegin()) ==
        Approx(sum / static_cast<double>(survivors)).epsilon(1e-6));
}

TEST_CASE("Ternary: a threshold of its own survives conversion, and a learned scale is decoupled",
          "[method]") {
  // Codes frozen at TWN's threshold, alpha trained (PEQA on three levels).
  using Frozen = QuantLinear<Ternary, TwnScale, ScaleOnly>;
  const Frozen frozen(weight.view());
  using Learned = QuantLinear<Ternary, TwnScale, FullRank, WeightDomain>;
  const Learned learned(weight.view());
  CHECK(weight_of(frozen).values == weight_of(learned).values);
  CHECK(weight_of(learned.convert_to<Frozen>()).values == weight_of(learned).values);
  // dW_hat/ds = level in both.
  CHECK(run_passes(frozen, x, grad_y).gradients.back() ==
        run_passes(learned, x, grad_y).gradients.back());
}

}  // namespace
}  // namespace lrqat::test::measured_methods_cases
