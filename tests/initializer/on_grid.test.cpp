// SPDX-License-Identifier: MIT
// tests/initializer/on_grid.test.cpp: a weight on its grid is what a layer starts with.
#include <lrqat/initializer/on_grid.hpp>

#include <lrqat/lrqat.hpp>

#include <lrqat/initializer/gptq.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <numeric>
#include <vector>

namespace lrqat::test {
namespace {

template <class Layer>
std::vector<float> w_hat_of(const Layer& layer, Shape shape) {
  Matrix weight(shape.rows, shape.cols);
  layer.weight().weight({0, 0, shape.rows, shape.cols}, weight.view());
  return {weight.values.begin(), weight.values.end()};
}

/// Channels whose weights lie all above 0, all below it and around it, and one of equal weights.
Matrix moved_weight() {
  Matrix weight = random_matrix(7, 33, 0.2f, 91);
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t j = 0; j < 33; ++j)
      weight(i, j) = i == 6 ? 0.3f : weight(i, j) + 0.4f * (static_cast<float>(i % 3) - 1.0f);
  return weight;
}

template <class G, class I>
void check_grid() {
  const Matrix weight = moved_weight();
  const auto layer = QuantLinear<G, I, FullRank, WeightDomain>(weight.view());
  const std::vector<float> start = w_hat_of(layer, {7, 33});

  const WeightOnGrid nearest = round_to_nearest<G, PerChannel, I>(weight.view());
  CHECK(std::vector<float>(nearest.values.begin(), nearest.values.end()) == start);

  Matrix unit(33, 33);  // inputs that have nothing to do with each other
  for (std::size_t i = 0; i < 33; ++i) unit(i, i) = 1.0f;
  GptqFactor factor{AlignedVector<float>(unit.values.begin(), unit.values.end()),
                    std::vector<std::uint32_t>(33), std::vector<std::uint8_t>(33)};
  std::iota(factor.order.begin(), factor.order.end(), 0u);
  const WeightOnGrid found = gptq<G, PerChannel, I>(weight.view(), factor);
  CHECK(std::vector<float>(found.values.begin(), found.values.end()) == start);
  for (std::size_t i = 0; i < 7; ++i) {
    CHECK(found.qparams[i].offset == layer.weight().used(i).offset);
    CHECK(found.qparams[i].divisor() == layer.weight().used(i).divisor());
  }
}

TEST_CASE("Weights on a grid: what a layer starts with, whatever the grid", "[initializer]") {
  check_grid<Int<4>, MinMax>();
  check_grid<Int<3>, LpSearch<4>>();
  check_grid<UInt<4>, MinMax>();
  check_grid<Codebook<Nf4>, MinMax>();
  check_grid<Offset<Int<4>>, MinMax>();
  check_grid<Offset<UInt<3>>, LpSearch<2>>();
  check_grid<Ternary, TwnScale>();
}

}  // namespace
}  // namespace lrqat::test
