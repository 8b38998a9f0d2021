// SPDX-License-Identifier: MIT
// tests/linear/requantise.test.cpp: QLLM's layer behind its channels, and its merge that is not exact.
#include <lrqat/linear/requantise.hpp>

#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/split_merge_linear.hpp>
#include <lrqat/method/qllm.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <type_traits>

namespace lrqat::test::requantise_cases {
namespace {

using Catch::Matchers::Contains;
using Layer = QuantLinear<UInt<4>, LowRank<2>, Parallel, Packed, AdapterOnly>;
using Tuned = method::Qllm<4, 8, 2>;
static_assert(LinearLayer<SplitMergeLinear<Tuned>> && !SplitMergeLinear<Tuned>::merges);
static_assert(SplitMergeLinear<QuantLinear<UInt<4>, ScaleOnly>>::merges);

const Matrix weight = random_matrix(9, 12, 0.4f, 1), x = random_matrix(5, 12, 1.0f, 2),
             grad_y = random_matrix(5, 9, 1.0f, 3);

/// c A B at (i, j).
float delta(const Layer& layer, std::size_t i, std::size_t j) {
  Matrix z(1, 1);
  layer.weight().adapter().add({i, j, 1, 1}, z.view());
  return z.values[0];
}

TEST_CASE("merge_requantised: it differs from the layer that was trained", "[linear]") {
  Layer layer(weight.view());
  randomize_adapter(layer, 0.2f, 4);
  const auto rounded = merge_requantised(layer, weight.view());
  CHECK(weight_of(rounded).values != weight_of(layer).values);
  Matrix sum = weight;  // round to nearest of the sum
  for (std::size_t i = 0; i < 9; ++i)
    for (std::size_t j = 0; j < 12; ++j) sum(i, j) += delta(layer, i, j);
  const QuantLinear<UInt<4>, ScaleOnly> nearest(sum.view());
  CHECK(weight_of(rounded).values == weight_of(nearest).values);
  const auto kept = merge_requantised(layer, weight.view(), RequantiseOn::own_scales);
  for (std::size_t i = 0; i < 9; ++i) CHECK(kept.scales()[i] == layer.weight().used_scale(i));
}

TEST_CASE("merge_requantised: multiples of a kept scale inside the range are exact", "[linear]") {
  // Scales are powers of two, A B = integers times the row's scale; codes stay away from the ends.
  std::vector<QParams> cells;
  Matrix small = weight;
  for (std::size_t i = 0; i < 9; ++i) {
    cells.push_back({i % 2 == 0 ? 0.25f : 0.125f, 7.0f});
    for (std::size_t j = 0; j < 12; ++j) small(i, j) = std::fmod(weight(i, j), 0.5f);
  }
  QuantOptions options;
  options.alpha = 2;  // gain 1
  Layer layer(small.view(), cells, options);
  Matrix a(9, 2), b(2, 12);
  for (std::size_t i = 0; i < 9; ++i) a(i, i % 2) = cells[i].scale;
  for (std::size_t j = 0; j < 12; ++j) {
    b(0, j) = static_cast<float>(j % 3) - 1;
    b(1, j) = 2.0f - static_cast<float>(j % 2);
  }
  layer.weight().adapter().set_factors(a.view(), b.view());
  const auto rounded = merge_requantised(layer, small.view(), RequantiseOn::own_scales, options);
  CHECK(weight_of(rounded).values == weight_of(layer).values);
  CHECK(weight_of(rounded).values != weight_of(Layer(small.view(), cells, options)).values);
  Matrix y(5, 9), y_rounded(5, 9);
  layer.forward(x.view(), y.view());
  rounded.forward(x.view(), y_rounded.view());
  CHECK(y_rounded.values == y.values);
  const Matrix other(8, 12);
  CHECK_THROWS_WITH(merge_requantised(layer, other.view()), Contains("weight is (8, 12)"));
}

TEST_CASE("SplitMergeLinear: a layer on made channels, and its gradients", "[linear]") {
  InputStatistics statistics(12);
  statistics.add(random_matrix(50, 12, 1.0f, 5).view());
  const MatrixView<const float> weights[] = {weight.view()};
  std::vector<std::size_t> parts(12, 1);
  parts[3] = 3;
  const ChannelSplitMerge channels = split_and_merge_channels(statistics, weights, parts);
  const SplitMergeRows rows{weight.view(), channels};
  Tuned inner({9, channels.channels()}, rows);
  randomize_adapter(inner, 0.1f, 6);
  SplitMergeLinear<Tuned> layer(channels, inner);
  CHECK(layer.in_features() == 12);
  CHECK(layer.parameters().size() == 2);

  Matrix made(5, 12), grad_made(5, 12), expected(5, 12), y(5, 9), own(5, 9), grad_x(5, 12);
  for (std::size_t t = 0; t < 5; ++t) channels.forward(x.view().row(t), made.view().row(t));
  inner.forward(made.view(), own.view());
  layer.forward(x.view(), y.view());
  CHECK(bits_of(y.values) == bits_of(own.values));
  inner.backward(made.view(), grad_y.view(), grad_made.view());
  layer.backward(x.view(), grad_y.view(), grad_x.view());
  for (std::size_t t = 0; t < 5; ++t)
    channels.backward(grad_made.view().row(t), expected.view().row(t));
  CHECK(bits_of(grad_x.values) == bits_of(expected.values));
  for (std::size_t p = 0; p < 2; ++p)
    CHECK(copy_of(layer.parameters()[p].gradient) == copy_of(inner.parameters()[p].gradient));

  Matrix made_weight(9, 12);
  for (std::size_t i = 0; i < 9; ++i) rows(i, made_weight.view().row(i));
  const auto codes = merge_requantised(layer.layer(), made_weight.view());
  const SplitMergeLinear<std::remove_const_t<decltype(codes)>> deployed(channels, codes);
  AnyLinear(deployed).forward(x.view(), y.view());
  codes.forward(made.view(), own.view());
  CHECK(bits_of(y.values) == bits_of(own.values));
  CHECK_THROWS_WITH(AnyLinear(layer).merge(), Contains("no codes to merge into"));
  CHECK_THROWS_WITH(SplitMergeLinear<Tuned>(split_channels(parts), inner),
                    Contains("12 inputs for 14 channels"));
  Matrix narrow(5, 11);
  CHECK_THROWS_WITH(layer.forward(narrow.view(), y.view()), Contains("x is (5, 11)"));
}

}  // namespace
}  // namespace lrqat::test::requantise_cases
