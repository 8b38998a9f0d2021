// SPDX-License-Identifier: MIT
// tests/initializer/gptq.test.cpp: GPTQ with given factors against its definition.
#include <lrqat/initializer/gptq.hpp>

#include <lrqat/granularity/per_group.hpp>
#include <lrqat/granularity/per_tensor.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/initializer/lp_search.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;

GptqFactor factor_of(const Matrix& upper) {
  GptqFactor factor{AlignedVector<float>(upper.values.begin(), upper.values.end()),
                    std::vector<std::uint32_t>(upper.cols), std::vector<std::uint8_t>(upper.cols)};
  std::iota(factor.order.begin(), factor.order.end(), 0u);
  return factor;
}

/// Upper triangular, 1 .. 2 on the diagonal, small beside it.
GptqFactor random_factor(std::size_t in) {
  Matrix upper = random_matrix(in, in, 0.2f, 11);
  for (std::size_t i = 0; i < in; ++i) {
    for (std::size_t j = 0; j < i; ++j) upper(i, j) = 0;
    upper(i, i) = 1 + std::fabs(upper(i, i));
  }
  return factor_of(upper);
}

bool same(const WeightOnGrid& a, const WeightOnGrid& b) {
  bool equal = a.shape == b.shape && bits_of(a.values) == bits_of(b.values) &&
               a.qparams.size() == b.qparams.size();
  for (std::size_t i = 0; equal && i < a.qparams.size(); ++i)
    equal = a.qparams[i].scale == b.qparams[i].scale &&
            a.qparams[i].zero_point == b.qparams[i].zero_point;
  return equal;
}

QuantOptions groups_of(std::size_t size) {
  QuantOptions options;
  options.group_size = size;
  return options;
}

/// The definition, a row at a time and without blocks; groups chosen when reached.
template <class G>
WeightOnGrid by_definition(const Matrix& weight, const GptqFactor& factor, std::size_t group) {
  const std::size_t in = weight.cols, groups = (in + group - 1) / group;
  WeightOnGrid found{{weight.rows, in}, AlignedVector<float>(weight.values.size()),
                     std::vector<QParams>(weight.rows * groups)};
  for (std::size_t row = 0; row < weight.rows; ++row) {
    std::vector<float> w(weight.view().row(row).begin(), weight.view().row(row).end());
    for (std::size_t j = 0; j < in; ++j) {
      QParams& qparams = found.qparams[row * groups + j / group];
      if (j % group == 0)
        qparams = MinMax::choose<G>(std::span(w).subspan(j, std::min(group, in - j)));
      const float rounded = on_grid<G>(w[j], qparams);
      found.values[row * in + j] = rounded;
      const float minus_error = (rounded - w[j]) / factor.matrix()(j, j);
      for (std::size_t k = j + 1; k < in; ++k)
        w[k] = std::fma(minus_error, factor.matrix()(j, k), w[k]);
    }
  }
  return found;
}

template <class G, class Gran>
void check_diagonal(const QuantOptions& options) {
  const Matrix weight = random_matrix(35, 67, 0.1f, 1);
  Matrix diagonal(67, 67);
  for (std::size_t j = 0; j < 67; ++j) diagonal(j, j) = 0.1f + static_cast<float>(j);
  GptqOptions gptq_options;
  gptq_options.quant = options;
  const WeightOnGrid rtn = round_to_nearest<G, Gran>(weight.view(), options);
  CHECK(same(gptq<G, Gran>(weight.view(), factor_of(diagonal), gptq_options), rtn));
  GptqFactor backwards = factor_of(diagonal);
  std::reverse(backwards.order.begin(), backwards.order.end());
  gptq_options.scales = GptqScales::in_advance;
  CHECK(same(gptq<G, Gran>(weight.view(), backwards, gptq_options), rtn));
}

TEST_CASE("Gptq: inputs that have nothing to do with each other: round to nearest, to the bit",
          "[initializer]") {
  check_diagonal<Int<3>, PerChannel>({});
  check_diagonal<UInt<2>, PerChannel>({});
  check_diagonal<UInt<4>, PerGroup<dynamic>>(groups_of(16));
  check_diagonal<Int<4>, PerTensor>({});
}

TEST_CASE("Gptq: the definition, to the bit, whatever the block and the number of threads",
          "[initializer]") {
  const int threads = thread_count();
  for (const std::size_t in : {1u, 31u, 150u}) {
    const Matrix weight = random_matrix(37, in, 0.1f, 2);
    const GptqFactor factor = random_factor(in);
    for (const std::size_t group : {in, std::size_t{1}, std::size_t{20}, std::size_t{90}}) {
      if (group > in) continue;
      const WeightOnGrid wanted = by_definition<UInt<3>>(weight, factor, group);
      for (const std::size_t block : {1u, 7u, 16u, 128u, 1000u}) {
        INFO("in " << in << ", group " << group << ", block " << block);
        GptqOptions options;
        options.block = block;
        options.quant = groups_of(group);
#if defined(_OPENMP)
        set_thread_count(block == 7 ? 2 : 1);
#endif
        CHECK(same(gptq<UInt<3>, PerGroup<dynamic>>(weight.view(), factor, options), wanted));
        if (group == in) CHECK(same(gptq<UInt<3>>(weight.view(), factor, options), wanted));
      }
    }
  }
  set_thread_count(threads);
}

TEST_CASE("Gptq: groups chosen in advance have the scales of round to nearest", "[initializer]") {
  const Matrix weight = random_matrix(5, 50, 0.1f, 3);
  GptqOptions options;
  options.scales = GptqScales::in_advance;
  options.quant = groups_of(16);
  const auto rtn = round_to_nearest<UInt<3>, PerGroup<dynamic>, LpSearch<2>>(weight.view(),
                                                                            options.quant);
  const auto found = gptq<UInt<3>, PerGroup<dynamic>, LpSearch<2>>(weight.view(),
                                                                  random_factor(50), options);
  std::size_t other_scales = 0;
  for (std::size_t i = 0; i < found.qparams.size(); ++i)
    other_scales += found.qparams[i].scale != rtn.qparams[i].scale;
  CHECK(other_scales == 0);
  CHECK(bits_of(found.values) != bits_of(rtn.values));
}

TEST_CASE("Gptq: dead inputs get weight 0, and their weights do not widen a range",
          "[initializer]") {
  Matrix weight = random_matrix(4, 9, 0.1f, 4);
  for (std::size_t i = 0; i < 4; ++i) weight(i, 5) = 100.0f;
  GptqFactor factor = random_factor(9);
  factor.dead[5] = 1;
  const WeightOnGrid found = gptq<Int<4>>(weight.view(), factor);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(found.weight()(i, 5) == 0.0f);
    CHECK(found.qparams[i].scale < 1.0f);
  }
}

TEST_CASE("Gptq: groups of zeros stay zero", "[initializer]") {
  const Matrix weight(3, 8);
  const WeightOnGrid found = gptq<UInt<4>>(weight.view(), random_factor(8));
  CHECK(found.qparams[0].scale == scale_floor);
  for (const float value : found.values) CHECK(value == 0.0f);
}

TEST_CASE("Gptq: one clear error for each thing that does not fit", "[initializer]") {
  Matrix weight = random_matrix(3, 8, 0.1f, 5);
  const GptqFactor factor = random_factor(8);
  CHECK_THROWS_WITH(gptq<Int<4>>(weight.view(), random_factor(9)),
                    Contains("(3, 8) meets statistics of 9 inputs"));
  GptqFactor backwards = factor;
  std::reverse(backwards.order.begin(), backwards.order.end());
  GptqOptions options;
  options.quant = groups_of(4);
  CHECK_THROWS_WITH((gptq<Int<4>, PerGroup<dynamic>>(weight.view(), backwards, options)),
                    Contains("GptqScales::in_advance"));
  options.block = 0;
  CHECK_THROWS_WITH(gptq<Int<4>>(weight.view(), factor, options), Contains("at least one column"));
  weight(1, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(gptq<Int<4>>(weight.view(), factor), Contains("weight (1, 2) is not finite"));
  CHECK_THROWS_WITH(gptq<Int<4>>(Matrix(0, 8).view(), factor), Contains("is empty"));
  weight(1, 2) = 3e38f;
  weight(1, 3) = -3e38f;
  CHECK_THROWS_WITH(gptq<UInt<2>>(weight.view(), factor), Contains("too large for float32"));
}

}  // namespace
}  // namespace lrqat::test
