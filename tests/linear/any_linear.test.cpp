// SPDX-License-Identifier: MIT
// tests/linear/any_linear.test.cpp: layers whose scheme is chosen at run time.
#include <lrqat/linear/any_linear.hpp>

#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

namespace lrqat::test::any_linear_cases {
namespace {

using Catch::Matchers::Contains;

const Matrix weight = random_matrix(6, 9, 0.5f, 1);
const Matrix x = random_matrix(4, 9, 1.0f, 2), grad_y = random_matrix(4, 6, 1.0f, 3);

template <class Layer>
void check_same(Layer layer) {
  AnyLinear any(layer);
  CHECK(any.in_features() == 9);
  CHECK(any.out_features() == 6);
  CHECK(any.bytes().total() == layer.bytes().total());
  Matrix y(4, 6), any_y(4, 6), gx(4, 9), any_gx(4, 9);
  layer.forward(x.view(), y.view());
  any.forward(x.view(), any_y.view());
  CHECK(bits_of(any_y.values) == bits_of(y.values));
  layer.backward(x.view(), grad_y.view(), gx.view());
  any.backward(x.view(), grad_y.view(), any_gx.view());
  CHECK(bits_of(any_gx.values) == bits_of(gx.values));
  const auto parameters = layer.parameters(), any_parameters = any.parameters();
  REQUIRE(any_parameters.size() == parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    CHECK(any_parameters[i].name == parameters[i].name);
    CHECK(any_parameters[i].role == parameters[i].role);
    CHECK(copy_of(any_parameters[i].gradient) == copy_of(parameters[i].gradient));
  }

  const AnyLinear merged = any.merge();
  Matrix merged_y(4, 6);
  merged.forward(x.view(), merged_y.view());
  CHECK(bits_of(merged_y.values) == bits_of(y.values));
  CHECK(merged.bytes().total() == layer.merge().bytes().total());
}

TEST_CASE("AnyLinear: does what the layer inside does", "[linear]") {
  check_same(QuantLinear<Int<4>, LowRank<2>>(weight.view()));
  check_same(QuantLinear<UInt<3>, PerGroup<4>, Input<UInt<8>>>(weight.view()));
}

struct Counting : DenseLinear<float> {
  using DenseLinear<float>::DenseLinear;
  void after_step() { ++*steps; }
  int* steps = nullptr;
};

TEST_CASE("AnyLinear: tells a layer of a step, where it wants to know", "[linear]") {
  int steps = 0;
  Counting counting(weight.view());
  counting.steps = &steps;
  AnyLinear any(counting), plain{DenseLinear<float>(weight.view())};
  any.after_step();
  plain.after_step();
  CHECK(steps == 1);
}

TEST_CASE("AnyLinear: layers of different schemes in one list", "[linear]") {
  std::vector<AnyLinear> layers;
  layers.emplace_back(QuantLinear<Int<4>, LowRank<2>>(weight.view()));
  layers.emplace_back(QuantLinear<Int<2>, FullRank, WeightDomain>(weight.view()));
  layers.push_back(layers.front().merge());
  Matrix y(4, 6), merged_y(4, 6);
  layers[0].forward(x.view(), y.view());
  layers[2].forward(x.view(), merged_y.view());
  CHECK(bits_of(merged_y.values) == bits_of(y.values));
  const AnyLinear moved = std::move(layers[0]);
  moved.forward(x.view(), merged_y.view());
  CHECK(bits_of(merged_y.values) == bits_of(y.values));
}

TEST_CASE("AnyLinear: a merged layer does not train, and says so", "[linear]") {
  AnyLinear merged = AnyLinear(QuantLinear<Int<4>>(weight.view())).merge();
  Matrix gx(4, 9);
  CHECK(merged.parameters().empty());
  CHECK_THROWS_WITH(merged.backward(x.view(), grad_y.view(), gx.view()),
                    Contains("(6, 9)") && Contains("merge"));
  CHECK_THROWS_WITH(merged.merge(), Contains("(6, 9)") && Contains("no codes"));
}

TEST_CASE("AnyLinear: an unquantized layer has no codes to merge into", "[linear]") {
  const AnyLinear dense(DenseLinear<float>(weight.view()));
  CHECK_THROWS_WITH(dense.merge(), Contains("no codes"));
  Matrix y(4, 6);
  dense.forward(x.view(), y.view());
  CHECK(y.values != std::vector<float>(24));
}

TEST_CASE("AnyLinear: a layer with a parallel branch trains, but does not merge", "[linear]") {
  AnyLinear branch(QuantLinear<Int<4>, LowRank<2>, Parallel>(weight.view()));
  CHECK(branch.parameters().size() == 3);
  CHECK_THROWS_WITH(branch.merge(), Contains("(6, 9)") && Contains("beside"));
}

TEST_CASE("AnyLinear: a merged layer tells its codes, and a layer is made of them again",
          "[linear]") {
  const QuantLinear<UInt<3>, PerGroup<4>, LowRank<2>> layer(weight.view());
  const auto merged = layer.merge();
  const AnyLinear any{merged};
  REQUIRE(any.is_merged());
  const MergedWeight numbers = any.merged_weight();
  CHECK(numbers.bits == 3);
  CHECK(numbers.code_min == 0);
  CHECK(numbers.has_zero_point);
  CHECK(numbers.is_uniform);
  CHECK(numbers.layout == merged.layout());
  CHECK(bits_of(any.weight()) == bits_of(weight_of(merged).values));
  const auto again = merged_linear<MergedLinear<UInt<3>>>(numbers);
  CHECK(bits_of(weight_of(again).values) == bits_of(weight_of(merged).values));
  Matrix rows(6, 9);
  for (std::size_t i = 0; i < 6; ++i) numbers.dequantize(i, rows.view().row(i));
  CHECK(bits_of(rows.values) == bits_of(weight_of(merged).values));

  CHECK_THROWS_WITH(merged_linear<MergedLinear<Int<3>>>(numbers), Contains("3 bits from -4"));
  MergedWeight broken = numbers;
  broken.codes[10] = 8;
  CHECK_THROWS_WITH(merged_linear<MergedLinear<UInt<3>>>(broken), Contains("code 8 at (1, 1)"));
  broken.codes.pop_back();
  CHECK_THROWS_WITH(merged_linear<MergedLinear<UInt<3>>>(broken), Contains("53 codes"));
}

TEST_CASE("AnyLinear: only plain and merged layers tell their weight", "[linear]") {
  const AnyLinear dense(DenseLinear<float>(weight.view()));
  CHECK(bits_of(dense.weight()) == bits_of(weight.values));
  CHECK_FALSE(dense.is_merged());
  CHECK_THROWS_WITH(dense.merged_weight(), Contains("no codes"));
  const AnyLinear trained(QuantLinear<Int<4>>(weight.view()));
  CHECK_FALSE(trained.is_merged());
  CHECK_THROWS_WITH(trained.weight(), Contains("merge"));
  CHECK_THROWS_WITH(trained.merged_weight(), Contains("merge"));
}

TEST_CASE("AnyLinear: errors of the layer inside come through", "[linear]") {
  const AnyLinear any(QuantLinear<Int<4>>(weight.view()));
  Matrix y(4, 6);
  CHECK_THROWS_WITH(any.forward(Matrix(4, 8).view(), y.view()), Contains("(4, 8)"));
}

}  // namespace
}  // namespace lrqat::test::any_linear_cases
