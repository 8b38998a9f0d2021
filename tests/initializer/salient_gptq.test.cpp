// SPDX-License-Identifier: MIT
// tests/initializer/salient_gptq.test.cpp: salient weights by Hessian, and GPTQ beside them.
#include <lrqat/initializer/salient_gptq.hpp>

#include <lrqat/granularity/per_group.hpp>
#include <lrqat/method/pb_llm.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;
using PostTraining = method::PbLlmPostTraining<>;

/// U with 1 .. 2 on its diagonal, and `beside` as the size of what is right of it.
GptqFactor upper_factor(std::size_t in, float beside) {
  GptqFactor factor{AlignedVector<float>(in * in), std::vector<std::uint32_t>(in),
                    std::vector<std::uint8_t>(in)};
  const Matrix random = random_matrix(in, in, beside, 21);
  std::iota(factor.order.begin(), factor.order.end(), 0u);
  for (std::size_t i = 0; i < in; ++i) {
    factor.upper[i * in + i] = 1 + static_cast<float>(i % 7) / 7;
    for (std::size_t j = i + 1; j < in; ++j) factor.upper[i * in + j] = random(i, j);
  }
  return factor;
}

TEST_CASE("salient_by_hessian: the largest w^2 / U_jj^2, as many of every column group",
          "[initializer]") {
  const Matrix weight = random_matrix(9, 40, 0.2f, 1);
  GptqFactor factor = upper_factor(40, 0.1f);
  for (const std::size_t columns : {0u, 16u}) {
    const WeightSet set = salient_by_hessian(weight.view(), factor, 0.25, columns);
    const std::size_t width = columns == 0 ? 40 : columns;
    for (std::size_t first = 0; first < 40; first += width) {
      const std::size_t end = std::min<std::size_t>(40, first + width);
      double least = HUGE_VAL, most = 0;
      std::size_t count = 0;
      for (std::size_t i = 0; i < 9; ++i)
        for (std::size_t j = first; j < end; ++j) {
          const double value = std::pow(
              static_cast<double>(weight(i, j)) / static_cast<double>(factor.matrix()(j, j)), 2);
          count += set.contains(i, j);
          (set.contains(i, j) ? least : most) =
              set.contains(i, j) ? std::min(least, value) : std::max(most, value);
        }
      CHECK(count == (9 * (end - first) + 2) / 4);
      CHECK(least >= most);
    }
  }
  factor.dead[3] = 1;
  const WeightSet alive = salient_by_hessian(weight.view(), factor, 0.9);
  for (std::size_t i = 0; i < 9; ++i) CHECK_FALSE(alive.contains(i, 3));
  CHECK_THROWS_WITH(salient_by_hessian(weight.view(), upper_factor(39, 0.1f), 0.1),
                    Contains("statistics of 39 inputs"));
  CHECK_THROWS_WITH(salient_by_hessian(weight.view(), factor, -0.1), Contains("outside 0 .. 1"));
}

TEST_CASE("PB-LLM after training: a sign around the mean of the weights that are not salient",
          "[initializer]") {
  const Matrix weight = random_matrix(5, 33, 0.2f, 2);
  const WeightSet set = salient_by_magnitude(weight.view(), 0.2);
  const auto layer = salient_layer<PostTraining>(weight.view(), set);
  const Matrix w_hat = weight_of(layer);
  for (std::size_t i = 0; i < 5; ++i) {
    double mean = 0, spread = 0, count = 0;
    for (std::size_t j = 0; j < 33; ++j)
      if (!set.contains(i, j)) mean += static_cast<double>(weight(i, j)), ++count;
    mean /= count;
    for (std::size_t j = 0; j < 33; ++j)
      if (!set.contains(i, j)) spread += std::fabs(static_cast<double>(weight(i, j)) - mean);
    spread /= count;
    for (std::size_t j = 0; j < 33; ++j)
      if (!set.contains(i, j)) {
        const double off = static_cast<double>(weight(i, j)) - mean;
        CHECK(static_cast<double>(w_hat(i, j)) ==
              Approx(mean + std::copysign(spread, off)).margin(1e-7));
      }
  }
}

TEST_CASE("salient_gptq_layer: the definition, and the layer has what GPTQ leaves, to the bit",
          "[initializer]") {
  const std::size_t in = 150, out = 37;
  const Matrix weight = random_matrix(out, in, 0.1f, 3);
  const GptqFactor factor = upper_factor(in, 0.2f);
  const WeightSet set = salient_by_hessian(weight.view(), factor, 0.1);
  const auto layer = salient_gptq_layer<PostTraining>(weight.view(), factor, set);
  const auto nearest = salient_layer<PostTraining>(weight.view(), set);
  const std::vector<QParams> rows = salient_scales<SymmetricInt<8>>(set, weight.view());
  Matrix wanted(out, in);
  for (std::size_t i = 0; i < out; ++i) {
    std::vector<float> w(weight.view().row(i).begin(), weight.view().row(i).end());
    const QParams shared = nearest.weight().used(i);
    for (std::size_t j = 0; j < in; ++j) {
      wanted(i, j) = set.contains(i, j) ? on_grid<SymmetricInt<8>>(w[j], rows[i])
                                        : on_grid<Offset<Sign>>(w[j], shared);
      const float minus_error = (wanted(i, j) - w[j]) / factor.matrix()(j, j);
      for (std::size_t k = j + 1; k < in; ++k)
        w[k] = std::fma(minus_error, factor.matrix()(j, k), w[k]);
    }
  }
  CHECK(bits_of(weight_of(layer).values) == bits_of(wanted.values));
  CHECK(weight_of(nearest).values != wanted.values);

  const Matrix bias = random_matrix(1, out, 1.0f, 5), x(1, in);
  const auto shifted =
      salient_gptq_layer<PostTraining>(weight.view(), factor, set, {}, bias.values);
  CHECK(bits_of(weight_of(shifted).values) == bits_of(wanted.values));
  Matrix y(1, out);
  shifted.forward(x.view(), y.view());
  CHECK(y.values == bias.values);  // of x = 0

  // Inputs that have nothing to do with each other: each weight to the nearest of its own grid.
  const auto diagonal =
      salient_gptq_layer<PostTraining>(weight.view(), upper_factor(in, 0.0f), set);
  CHECK(weight_of(diagonal).values == weight_of(nearest).values);
}

TEST_CASE(
    "salient_gptq_layer: groups are chosen without their salient weights, some have no others",
    "[initializer]") {
  using Grouped = method::PbLlmPostTraining<PerGroup<8>>;
  const Matrix weight = random_matrix(3, 16, 0.1f, 4);
  const WeightSet set({3, 16}, [](std::size_t i, std::size_t j) { return i == 1 && j < 8; });
  const auto layer = salient_gptq_layer<Grouped>(weight.view(), upper_factor(16, 0.2f), set);
  CHECK(layer.weight().scales()[2] == scale_floor);
  CHECK(layer.weight().scales()[0] > scale_floor);
  for (const float value : weight_of(layer).values) CHECK(std::isfinite(value));
  CHECK_THROWS_WITH(
      salient_gptq_layer<Grouped>(weight.view(), upper_factor(16, 0.2f), WeightSet({3, 8})),
      Contains("a set of (3, 8)"));
}

}  // namespace
}  // namespace lrqat::test
