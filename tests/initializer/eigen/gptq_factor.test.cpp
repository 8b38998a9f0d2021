// SPDX-License-Identifier: MIT
// tests/initializer/eigen/gptq_factor.test.cpp: GPTQ from the statistics of inputs, and layers on it.
#include <lrqat/initializer/eigen/gptq_factor.hpp>

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;

/// Tokens whose inputs depend on each other: a few hidden numbers, mixed, and noise.
Matrix correlated(std::size_t tokens, std::size_t in, std::uint64_t seed) {
  const std::size_t hidden = std::max<std::size_t>(in / 8, 1);
  const Matrix source = random_matrix(tokens, hidden, 1.0f, seed);
  const Matrix mix = random_matrix(hidden, in, 1.0f, seed + 1);
  Matrix x = random_matrix(tokens, in, 0.3f, seed + 2);
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t h = 0; h < hidden; ++h)
      for (std::size_t j = 0; j < in; ++j) x(t, j) += source(t, h) * mix(h, j);
  return x;
}

InputStatistics inputs_of(const Matrix& x) {
  InputStatistics statistics(x.cols);
  statistics.add(x.view());
  return statistics;
}

TEST_CASE("gptq_factor: U^T U is the inverse of the damped H", "[initializer]") {
  for (const GptqOrder order : {GptqOrder::ascending, GptqOrder::largest_first}) {
    const std::size_t in = 23, tokens = 90;
    const InputStatistics inputs = inputs_of(correlated(tokens, in, 1));
    const GptqFactor factor = gptq_factor(inputs, {0.01, order});
    const auto upper = factor.matrix();
    double trace = 0;
    for (std::size_t j = 0; j < in; ++j) trace += 2.0 / tokens * inputs.gram()(j, j);
    double worst = 0;
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t k = 0; k < in; ++k) {
        double entry = 0;  // of H U^T U
        for (std::size_t j = 0; j < in; ++j) {
          double inverse = 0;
          for (std::size_t l = 0; l < in; ++l)
            inverse += static_cast<double>(upper(l, j)) * static_cast<double>(upper(l, k));
          const double h = 2.0 / tokens * inputs.gram()(factor.order[i], factor.order[j]) +
                           (i == j ? 0.01 * trace / in : 0.0);
          entry += h * inverse;
        }
        worst = std::max(worst, std::fabs(entry - (i == k ? 1.0 : 0.0)));
      }
    // U is rounded to float: its relative 2^-24, twice, grows by the condition of H, which the
    // damping keeps below in / 0.01.
    CHECK(worst <= 2 * 0x1p-24 * in / 0.01);
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t j = 0; j < i; ++j) CHECK(upper(i, j) == 0.0f);
    for (std::size_t k = 1; k < in; ++k) {
      const auto a = factor.order[k - 1], b = factor.order[k];
      if (order == GptqOrder::largest_first)
        CHECK(inputs.gram()(a, a) >= inputs.gram()(b, b));
      else
        CHECK(a + 1 == b);
    }
  }
}

TEST_CASE("gptq_factor: the same bits for any number of threads", "[initializer]") {
  const InputStatistics inputs = inputs_of(correlated(400, 301, 2));
  const int eigen = Eigen::nbThreads();
  Eigen::setNbThreads(1);
  const GptqFactor alone = gptq_factor(inputs);
  Eigen::setNbThreads(3);
  const int asked = Eigen::nbThreads();
  const GptqFactor together = gptq_factor(inputs);
  CHECK(Eigen::nbThreads() == asked);
  Eigen::setNbThreads(eigen);
  CHECK(bits_of(alone.upper) == bits_of(together.upper));
}

template <class G, class Gran = PerChannel>
void check_better(const Matrix& weight, const InputStatistics& inputs, GptqOptions options) {
  const double rtn = output_error(
      weight.view(), round_to_nearest<G, Gran>(weight.view(), options.quant).weight(), inputs);
  const double plain = output_error(
      weight.view(), gptq<G, Gran>(weight.view(), gptq_factor(inputs), options).weight(), inputs);
  CHECK(plain < rtn);
  options.scales = GptqScales::in_advance;
  GptqFactorOptions largest_first;
  largest_first.order = GptqOrder::largest_first;
  const GptqFactor factor = gptq_factor(inputs, largest_first);
  CHECK(output_error(weight.view(), gptq<G, Gran>(weight.view(), factor, options).weight(),
                     inputs) < rtn);
}

TEST_CASE("Gptq: less output error than round to nearest on inputs that depend on each other",
          "[initializer]") {
  const Matrix weight = random_matrix(40, 96, 0.1f, 5);
  const InputStatistics inputs = inputs_of(correlated(500, 96, 6));
  check_better<Int<3>>(weight, inputs, {});
  check_better<UInt<4>>(weight, inputs, {});
  GptqOptions groups;
  groups.quant.group_size = 32;
  check_better<UInt<2>, PerGroup<dynamic>>(weight, inputs, groups);
}

template <class Layer>
void check_start(const Layer& layer, const WeightOnGrid& found) {
  CHECK(bits_of(weight_of(layer).values) == bits_of(found.values));
  CHECK(bits_of(weight_of(layer.merge()).values) == bits_of(found.values));
}

TEST_CASE("Gptq: layers start from its weight, to the bit", "[initializer]") {
  const Matrix weight = random_matrix(17, 64, 0.1f, 7);
  const GptqFactor factor = gptq_factor(inputs_of(correlated(300, 64, 8)));
  QuantOptions options;
  options.group_size = 16;
  options.scale_type = ScaleType::float32;
  const WeightOnGrid channels = gptq<Int<3>>(weight.view(), factor);
  check_start(QuantLinear<Int<3>, LowRank<4>>(channels.weight(), channels.qparams), channels);
  check_start(QuantLinear<Int<3>, LowRank<4>, Packed>(channels.weight(), channels.qparams),
              channels);
  check_start(QuantLinear<Int<3>>(channels.weight(), channels.qparams), channels);
  GptqOptions groups;
  groups.quant = options;
  const auto grouped = gptq<UInt<4>, PerGroup<dynamic>>(weight.view(), factor, groups);
  check_start(QuantLinear<UInt<4>, PerGroup<dynamic>, LowRank<4>>(grouped.weight(),
                                                                  grouped.qparams, options),
              grouped);
}

TEST_CASE("gptq_factor: dead inputs, and too few tokens", "[initializer]") {
  Matrix x = correlated(30, 12, 9);
  for (std::size_t t = 0; t < 30; ++t) x(t, 7) = 0;
  const GptqFactor factor = gptq_factor(inputs_of(x));
  for (std::size_t j = 0; j < 12; ++j) CHECK(factor.dead[j] == (j == 7));
  for (const float value : factor.upper) CHECK(std::isfinite(value));

  CHECK_THROWS_WITH(gptq_factor(inputs_of(Matrix(5, 12))),
                    Contains("all 12 inputs are 0 in all 5 tokens"));
  // A few tokens span a few dimensions: singular but for the damping.
  Matrix few(2, 12, 1.0f);
  CHECK(std::isfinite(gptq_factor(inputs_of(few)).upper[0]));
  CHECK_THROWS_WITH(gptq_factor(inputs_of(few), {0.0, GptqOrder::ascending}),
                    Contains("not positive definite with a damping of 0; raise it"));
  CHECK_THROWS_WITH(gptq_factor(inputs_of(few), {-1.0, GptqOrder::ascending}),
                    Contains("a damping of -1"));
  CHECK_THROWS_WITH(gptq_factor(InputStatistics(12)), Contains("no token"));
  InputStatistics left_out(12, GramMatrix::left_out);
  left_out.add(few.view());
  CHECK_THROWS_WITH(gptq_factor(left_out), Contains("left out"));
}

}  // namespace
}  // namespace lrqat::test
