// SPDX-License-Identifier: MIT
// tests/linear/scale_format.test.cpp: layers whose scales are used in another format than trained.
#include <linear/merge_check.hpp>

#include <cmath>

namespace lrqat::test::scale_format_cases {
namespace {

using Catch::Matchers::Contains;

/// The layer `Fp16` computes, forward and backward, what `Float` does on the rounded scales: the
/// gradient passes the rounding straight through.
template <class Float, class Fp16>
void check_against_rounded_scales(QuantOptions options = {}) {
  Fp16 layer = trained_layer<Fp16>(13, 40, options);
  Float oracle = trained_layer<Float>(13, 40, options);
  // Bases were divided by scales of different formats; the same base for both.
  std::vector<QParams> qparams;
  for (std::size_t cell = 0; cell < layer.weight().scales().size(); ++cell)
    qparams.push_back({layer.weight().used_scale(cell), layer.weight().zero_points().empty()
                                                            ? 0.0f
                                                            : layer.weight().zero_points()[cell]});
  const Matrix weight = random_matrix(13, 40, 0.2f, 5);
  layer = Fp16(weight.view(), qparams, options);
  oracle = Float(weight.view(), qparams, options);
  randomize_adapter(layer, 0.4f, 3);
  randomize_adapter(oracle, 0.4f, 3);
  for (std::size_t cell = 0; cell < qparams.size(); ++cell) {
    // A master between two halves.
    layer.weight().scales()[cell] = qparams[cell].scale * (1.0f + 0x1p-10f / 3.0f);
    oracle.weight().scales()[cell] = layer.weight().used_scale(cell);
  }
  const Matrix x = random_matrix(4, 40, 1.0f, 7), grad_y = random_matrix(4, 13, 1.0f, 8);
  CHECK(run_passes(layer, x, grad_y) == run_passes(oracle, x, grad_y));
}

TEST_CASE("Fp16Scale: a layer is that of Float32Scale on rounded scales, gradients included",
          "[linear]") {
  QuantOptions options;
  options.rank = 3;
  using Adapter = LowRank<dynamic>;
  check_against_rounded_scales<QuantLinear<Int<4>, PerGroup<8>, Adapter>,
                               QuantLinear<Int<4>, PerGroup<8>, Adapter, Fp16Scale>>(options);
  check_against_rounded_scales<
      QuantLinear<UInt<4>, PerGroup<32>, Adapter, WeightDomain>,
      QuantLinear<UInt<4>, PerGroup<32>, Adapter, WeightDomain, Fp16Scale>>(options);
  check_against_rounded_scales<QuantLinear<UInt<4>, Packed, ScaleOnly>,
                               QuantLinear<UInt<4>, Packed, ScaleOnly, Fp16Scale>>();
  options.scale_type = ScaleType::fp16;
  check_against_rounded_scales<QuantLinear<Int<3>, PerTensor, Adapter, Reference>,
                               QuantLinear<Int<3>, PerTensor, Adapter, Reference, AnyScale>>(
      options);
}

TEST_CASE("Fp16Scale: merges exactly, into scales that are halves", "[linear]") {
  check_merge<QuantLinear<Int<4>, PerGroup<8>, LowRank<2>, Fp16Scale>>(13, 19);
  check_merge<QuantLinear<UInt<4>, PerGroup<8>, Packed, LowRank<2>, Fp16Scale>>(13, 19);
  check_merge<QuantLinear<Int<8>, FullRank, WeightDomain, Fp16Scale>>(13, 19);
  const auto merged =
      trained_layer<QuantLinear<UInt<4>, PerGroup<8>, LowRank<2>, Fp16Scale>>(13, 19).merge();
  for (std::size_t cell = 0; cell < merged.scales().size(); ++cell) {
    const float scale = merged.scales()[cell], minimum = -scale * merged.zero_points()[cell];
    CHECK(static_cast<float>(half(scale)) == scale);
    CHECK(static_cast<float>(half(minimum)) == minimum);
  }
}

TEST_CASE("Fp16Scale: a weight that lies on the grid of halves is kept exactly", "[linear]") {
  // 0.25 * (-8 .. 7), one group of zeros, one beyond the reach of a half's smallest scale.
  Matrix weight(3, 16);
  for (std::size_t j = 0; j < 16; ++j) {
    weight(0, j) = 0.25f * (static_cast<float>(j) - 8.0f);
    weight(2, j) = j == 0 ? 1e-9f : 0.0f;
  }
  const std::vector<QParams> qparams{{0.25f, 0.0f}, {scale_floor, 0.0f}, {scale_floor, 0.0f}};
  const QuantLinear<Int<4>, Fp16Scale> layer(weight.view(), qparams);
  CHECK(layer.weight().used_scale(1) == 0x1p-24f);
  Matrix expected = weight;
  expected(2, 0) = 0.0f;
  CHECK(weight_of(layer).values == expected.values);
  CHECK(weight_of(layer.merge()).values == expected.values);
}

TEST_CASE("Fp16Scale: scales below the smallest half act as it and do not learn", "[linear]") {
  QuantLinear<Int<4>, LowRank<1>, Fp16Scale> layer(Matrix(3, 2, 0x1p-24f).view());
  layer.weight().scales()[0] = 0x1p-24f;
  layer.weight().scales()[1] = 0x1p-25f;
  layer.weight().scales()[2] = -1.0f;
  for (std::size_t cell = 0; cell < 3; ++cell) CHECK(layer.weight().used_scale(cell) == 0x1p-24f);
  Matrix x(1, 2, 1.0f), y(1, 3, 1.0f), grad_x(1, 2);
  layer.backward(x.view(), y.view(), grad_x.view());
  const auto gradient = copy_of(named(layer.parameters(), "scale").gradient);
  CHECK(gradient[0] != 0.0f);
  CHECK(gradient[1] == 0.0f);
  CHECK(gradient[2] == 0.0f);
}

TEST_CASE("Fp16Scale: a scale beyond the largest half cannot be merged", "[linear]") {
  QuantLinear<Int<4>, Fp16Scale> layer(Matrix(2, 2, 1.0f).view());
  layer.weight().scales()[1] = 65520.0f;
  CHECK_THROWS_WITH(layer.merge(), Contains("scale 1 is not finite"));
}

TEST_CASE("convert_to: scales that the other format cannot hold are refused", "[linear]") {
  using From = QuantLinear<Int<4>, LowRank<2>>;
  using To = QuantLinear<Int<4>, LowRank<2>, Fp16Scale>;
  const Matrix weight(1, 2, {0.25f, -0.5f});
  const From exact(weight.view(), std::vector<QParams>{{0.25f, 0.0f}});
  CHECK(weight_of(exact.convert_to<To>()).values == weight_of(exact).values);
  const From odd(weight.view(), std::vector<QParams>{{0.3f, 0.0f}});
  CHECK_THROWS_WITH(odd.convert_to<To>(), Contains("scale 0") && Contains("format"));
}

}  // namespace
}  // namespace lrqat::test::scale_format_cases
