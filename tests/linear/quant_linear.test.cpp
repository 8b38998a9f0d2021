// SPDX-License-Identifier: MIT
// tests/linear/quant_linear.test.cpp: the layer's doors: construction, shapes, parameters, bytes.
#include <lrqat/linear/quant_linear.hpp>

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>

namespace lrqat::test::quant_linear_cases {
namespace {

using Catch::Matchers::Contains;
using Layer = QuantLinear<Int<4>, LowRank<3>>;
using Grouped = QuantLinear<Int<4>, PerGroup<dynamic>, LowRank<2>>;
using Asymmetric = QuantLinear<UInt<4>, LowRank<2>>;

constexpr float infinity = std::numeric_limits<float>::infinity();

TEST_CASE("QuantLinear: a weight that is no number is refused by its place", "[linear]") {
  for (const float bad : {std::nanf(""), infinity, -infinity}) {
    Matrix weight = random_matrix(3, 5, 1.0f, 1);
    weight(2, 4) = bad;
    CHECK_THROWS_WITH(Layer(weight.view()), Contains("(2, 4)"));
    const std::vector<QParams> qparams(3, {1.0f, 0.0f});
    CHECK_THROWS_WITH(Layer(weight.view(), qparams), Contains("(2, 4)"));
  }
}

TEST_CASE("QuantLinear: an empty weight is refused", "[linear]") {
  CHECK_THROWS_WITH(Layer(Matrix(0, 4).view()), Contains("(0, 4)"));
  CHECK_THROWS_WITH(Layer(Matrix(4, 0).view()), Contains("(4, 0)"));
}

TEST_CASE("QuantLinear: weights whose range has no scale in float are refused", "[linear]") {
  const Matrix weight(1, 2, {3e38f, -3e38f});
  CHECK_THROWS_WITH(Asymmetric(weight.view()), Contains("scale 0"));
  const Layer symmetric(weight.view());
  CHECK(levels_of(symmetric) == std::vector<int>{7, -7});
}

TEST_CASE("QuantLinear: given scales and zero points are checked", "[linear]") {
  const Matrix weight = random_matrix(3, 5, 1.0f, 1);
  const auto with = [](std::size_t count, QParams qparams) {
    return std::vector<QParams>(count, qparams);
  };
  CHECK_THROWS_WITH(Layer(weight.view(), with(2, {1.0f, 0.0f})), Contains("2") && Contains("3"));
  CHECK_THROWS_AS(Layer(weight.view(), with(3, {std::nanf(""), 0.0f})), Error);
  CHECK_THROWS_AS(Layer(weight.view(), with(3, {infinity, 0.0f})), Error);
  for (const float zero : {0.5f, -1.25f, std::nanf(""), infinity, 1e6f})
    CHECK_THROWS_WITH(Asymmetric(weight.view(), with(3, {1.0f, zero})), Contains("zero point 0"));
  for (const float zero : {-4.0f, 0.0f, 15.0f, 1000.0f})
    CHECK_NOTHROW(Asymmetric(weight.view(), with(3, {1.0f, zero})));
  // A grid without zero point does not look at it.
  CHECK_NOTHROW(Layer(weight.view(), with(3, {1.0f, 0.5f})));
}

TEST_CASE("QuantLinear: a group longer than in is refused, naming both", "[linear]") {
  const Matrix weight = random_matrix(3, 10, 1.0f, 1);
  using Fixed = QuantLinear<Int<4>, PerGroup<128>>;
  CHECK_THROWS_WITH(Fixed(weight.view()), Contains("128") && Contains("10"));
  QuantOptions options;
  options.group_size = 11;
  CHECK_THROWS_WITH(Grouped(weight.view(), options), Contains("11") && Contains("10"));
  CHECK_THROWS_WITH(Grouped(weight.view()), Contains("group_size"));
  options.group_size = 4;
  CHECK(Grouped(weight.view(), options).weight().scales().size() == 9);
}

TEST_CASE("QuantLinear: a bias of another length is refused", "[linear]") {
  const Matrix weight = random_matrix(3, 5, 1.0f, 1);
  const std::vector<float> bias(2);
  CHECK_THROWS_WITH(Layer(weight.view(), QuantOptions{}, bias), Contains("2") && Contains("3"));
}

TEST_CASE("QuantLinear: shapes of the passes are checked, and named", "[linear]") {
  Layer layer(random_matrix(3, 5, 1.0f, 1).view());
  Matrix x(2, 5), y(2, 3), gx(2, 5);
  CHECK_THROWS_WITH(layer.forward(Matrix(2, 4).view(), y.view()),
                    Contains("forward") && Contains("(2, 4)") && Contains("(3, 5)"));
  CHECK_THROWS_WITH(layer.forward(x.view(), Matrix(2, 4).view()), Contains("(2, 4)"));
  CHECK_THROWS_WITH(layer.forward(x.view(), Matrix(1, 3).view()), Contains("(1, 3)"));
  CHECK_THROWS_WITH(layer.backward(Matrix(2, 4).view(), y.view(), gx.view()), Contains("backward"));
  CHECK_THROWS_AS(layer.backward(x.view(), Matrix(1, 3).view(), gx.view()), Error);
  CHECK_THROWS_AS(layer.backward(x.view(), Matrix(2, 2).view(), gx.view()), Error);
  CHECK_THROWS_WITH(layer.backward(x.view(), y.view(), Matrix(2, 4).view()),
                    Contains("grad_x") && Contains("(2, 4)"));
  CHECK_THROWS_AS(layer.backward(x.view(), y.view(), Matrix(1, 5).view()), Error);
  const auto merged = layer.merge();
  CHECK_THROWS_WITH(merged.forward(Matrix(2, 4).view(), y.view()), Contains("(2, 4)"));
  CHECK_THROWS_AS(merged.forward(x.view(), Matrix(1, 3).view()), Error);
}

TEST_CASE("QuantLinear: no tokens are fine", "[linear]") {
  Layer layer(random_matrix(3, 5, 1.0f, 1).view());
  Matrix x(0, 5), y(0, 3), gx(0, 5);
  layer.forward(x.view(), y.view());
  layer.backward(x.view(), y.view(), gx.view());
  for (const NamedGradient& each : layer.gradients())
    for (const float value : each.values) CHECK(value == 0.0f);
}

TEST_CASE("QuantLinear: the bias is added once, learns only in Everything", "[linear]") {
  const Matrix weight = random_matrix(3, 5, 1.0f, 1), x = random_matrix(4, 5, 1.0f, 2);
  const Matrix grad_y = random_matrix(4, 3, 1.0f, 3);
  const std::vector<float> bias{1.0f, -2.0f, 0.25f};
  using Learning = QuantLinear<Int<4>, LowRank<3>, Everything>;
  const Layer without(weight.view()), with(weight.view(), QuantOptions{}, bias);
  const Learning learning(weight.view(), QuantOptions{}, bias);
  const Passes plain = run_passes(without, x, grad_y), biased = run_passes(with, x, grad_y);
  const Passes learned = run_passes(learning, x, grad_y);
  for (std::size_t t = 0; t < 4; ++t)
    for (std::size_t i = 0; i < 3; ++i) CHECK(biased.y(t, i) == plain.y(t, i) + bias[i]);
  CHECK(biased.y.values == learned.y.values);
  CHECK(biased.grad_x.values == plain.grad_x.values);
  CHECK(biased.gradients == plain.gradients);
  REQUIRE(learned.gradients.size() == plain.gradients.size() + 1);
  for (std::size_t i = 0; i < 3; ++i) {
    float sum = 0;
    for (std::size_t t = 0; t < 4; ++t) sum += grad_y(t, i);
    CHECK(learned.gradients.back()[i] == sum);
  }
  CHECK(copy_of(with.bias()) == bias);
  CHECK(Learning(weight.view()).parameters().size() == 3);  // no bias, nothing to learn
}

TEST_CASE("QuantLinear: scales below the floor act as the floor, without gradient", "[linear]") {
  const Matrix weight = random_matrix(3, 5, 1.0f, 1), x = random_matrix(4, 5, 1.0f, 2);
  const Matrix grad_y = random_matrix(4, 3, 1.0f, 3);
  Layer layer(weight.view());
  randomize_adapter(layer, 1.0f, 4);
  Layer floored = layer;
  layer.weight().scales()[1] = scale_floor;
  floored.weight().scales()[1] = -3.0f;
  const Passes at = run_passes(layer, x, grad_y), below = run_passes(floored, x, grad_y);
  CHECK(at.y.values == below.y.values);
  CHECK(at.grad_x.values == below.grad_x.values);
  CHECK(at.gradients[0] == below.gradients[0]);
  CHECK(at.gradients[1] == below.gradients[1]);
  CHECK(at.gradients[2][0] == below.gradients[2][0]);
  CHECK(at.gradients[2][1] != 0.0f);
  CHECK(below.gradients[2][1] == 0.0f);
  CHECK(floored.merge().scales()[1] == scale_floor);
}

TEST_CASE("QuantLinear: copies and moved layers are independent and whole", "[linear]") {
  const Matrix x = random_matrix(2, 5, 1.0f, 2), grad_y = random_matrix(2, 3, 1.0f, 3);
  Layer layer(random_matrix(3, 5, 1.0f, 1).view());
  randomize_adapter(layer, 1.0f, 4);
  const Passes before = run_passes(layer, x, grad_y);
  Layer copy = layer;
  for (const Parameter<float>& each : copy.parameters())
    std::fill(each.value.begin(), each.value.end(), 9.0f);
  CHECK(run_passes(layer, x, grad_y) == before);
  CHECK_FALSE(run_passes(copy, x, grad_y) == before);
  const Layer moved = std::move(layer);
  CHECK(run_passes(moved, x, grad_y) == before);
  copy = moved;
  CHECK(run_passes(copy, x, grad_y) == before);
}

TEST_CASE("QuantLinear: the weight is only read while it is built", "[linear]") {
  Matrix weight = random_matrix(3, 5, 1.0f, 1);
  const Layer layer(weight.view());
  const Matrix before = weight_of(layer);
  std::fill(weight.values.begin(), weight.values.end(), 5.0f);
  CHECK(weight_of(layer).values == before.values);
}

TEST_CASE("QuantLinear: a weight with a stride is the weight", "[linear]") {
  const Matrix wide = random_matrix(6, 20, 1.0f, 1);
  Matrix narrow(3, 7);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 7; ++j) narrow(i, j) = wide(2 + i, 5 + j);
  CHECK(weight_of(Layer(wide.view().block(2, 5, 3, 7))).values ==
        weight_of(Layer(narrow.view())).values);
  using PerMatrix = QuantLinear<Int<4>, PerTensor, LowRank<1>>;
  CHECK(weight_of(PerMatrix(wide.view().block(2, 5, 3, 7))).values ==
        weight_of(PerMatrix(narrow.view())).values);
}

/// Columns in fours share a scale over all rows.
struct PerColumns {
  using policy_kind = kind::granularity;
  static ScaleLayout layout(Shape weight, const QuantOptions&) {
    return {{1, (weight.cols + 3) / 4}, 4};
  }
};

TEST_CASE("QuantLinear: a granularity of one's own that spans rows", "[linear]") {
  const Matrix weight = random_matrix(5, 10, 1.0f, 1), x = random_matrix(2, 10, 1.0f, 2);
  const QuantLinear<Int<4>, PerColumns, LowRank<2>> layer(weight.view());
  REQUIRE(layer.weight().scales().size() == 3);
  for (std::size_t cell = 0; cell < 3; ++cell) {
    std::vector<float> group;
    for (std::size_t i = 0; i < 5; ++i)
      for (std::size_t j = 4 * cell; j < std::min<std::size_t>(10, 4 * cell + 4); ++j)
        group.push_back(weight(i, j));
    CHECK(layer.weight().scales()[cell] == MinMax::choose<Int<4>>(group).scale);
  }
  Matrix y(2, 5), merged_y(2, 5);
  layer.forward(x.view(), y.view());
  layer.merge().forward(x.view(), merged_y.view());
  CHECK(bits_of(merged_y.values) == bits_of(y.values));
}

TEST_CASE("QuantLinear: gradients carry the names of the parameters", "[linear]") {
  Layer layer(random_matrix(3, 5, 1.0f, 1).view());
  Matrix gx(2, 5);
  layer.backward(random_matrix(2, 5, 1.0f, 2).view(), random_matrix(2, 3, 1.0f, 3).view(),
                 gx.view());
  const auto parameters = layer.parameters();
  const auto gradients = layer.gradients();
  REQUIRE(gradients.size() == parameters.size());
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    CHECK(gradients[i].name == parameters[i].name);
    CHECK(gradients[i].values.data() == parameters[i].gradient.data());
  }
  CHECK(named(layer.parameters(), "scale").role == Role::scale);
  layer.zero_gradients();
  for (const NamedGradient& each : layer.gradients())
    for (const float value : each.values) CHECK(value == 0.0f);
}

TEST_CASE("QuantLinear: bytes by part", "[linear]") {
  const Matrix weight = random_matrix(8, 10, 1.0f, 1);
  const std::vector<float> bias(8);
  const LayerBytes fixed = Layer(weight.view(), QuantOptions{}, bias).bytes();
  CHECK(fixed.base == 80);
  CHECK(fixed.scales == 8 * 4);
  CHECK(fixed.adapter == (8 + 10) * 3 * 4);
  CHECK(fixed.bias == 8 * 4);
  CHECK(fixed.gradients == fixed.adapter + fixed.scales);
  CHECK(fixed.total() == 80 + 32 + 216 + 32 + 248);

  const LayerBytes asymmetric =
      QuantLinear<UInt<3>, PerGroup<4>, Packed, ScaleOnly>(weight.view()).bytes();
  CHECK(asymmetric.base == 8 * 4);         // 30 bits a row
  CHECK(asymmetric.scales == 2 * 24 * 4);  // and zero points
  CHECK(asymmetric.adapter == 0);
  CHECK(asymmetric.bias == 0);
  CHECK(asymmetric.gradients == 24 * 4);

  const LayerBytes full = QuantLinear<Int<4>, FullRank, WeightDomain>(weight.view()).bytes();
  CHECK(full.base == 0);
  CHECK(full.adapter == 320);
  CHECK(full.gradients == 320 + 32);

  const LayerBytes merged = Layer(weight.view(), QuantOptions{}, bias).merge().bytes();
  CHECK(merged.base == 16 * 16 / 2);  // a whole panel of two blocks
  CHECK(merged.scales == 32);
  CHECK(merged.bias == 32);
  CHECK(merged.adapter + merged.gradients == 0);

  LayerBytes sum = fixed;
  sum += merged;
  CHECK(sum.total() == fixed.total() + merged.total());
}

TEST_CASE("QuantLinear: a diverged layer does not merge", "[linear]") {
  const Matrix weight = random_matrix(3, 5, 1.0f, 1);
  Layer broken(weight.view());
  named(broken.parameters(), "A").value[3] = std::nanf("");  // row 1
  CHECK_THROWS_WITH(broken.merge(), Contains("(1, 0)"));
  Layer unscaled(weight.view());
  unscaled.weight().scales()[2] = std::nanf("");
  CHECK_THROWS_WITH(unscaled.merge(), Contains("scale 2"));
  unscaled.weight().scales()[2] = infinity;
  CHECK_THROWS_WITH(unscaled.merge(), Contains("scale 2"));
}

}  // namespace
}  // namespace lrqat::test::quant_linear_cases
