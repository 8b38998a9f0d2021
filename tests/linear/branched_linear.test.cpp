// SPDX-License-Identifier: MIT
// tests/linear/branched_linear.test.cpp: a layer and a branch, both trained, until the branch is
// gone.
#include <lrqat/linear/branched_linear.hpp>

#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>

namespace lrqat::test::branched_linear_cases {
namespace {

using Catch::Matchers::Contains;

constexpr std::size_t out = 11, in = 18, rank = 5;

/// Small whole numbers, so that every sum below is exact in float32.
Matrix whole_numbers(std::size_t rows, std::size_t cols, std::uint64_t seed) {
  Matrix m = random_matrix(rows, cols, 2.0f, seed);
  for (float& value : m.values) value = std::nearbyint(value);
  return m;
}

using Layer = BranchedLinear<DenseLinear<float>, rank>;

Layer make_layer() {
  Layer layer(DenseLinear<float>(whole_numbers(out, in, 1).view()), {.alpha = 2.0f * rank});
  layer.branch().set_factors(whole_numbers(out, rank, 2).view(), whole_numbers(rank, in, 3).view());
  layer.branch().set_gate(2, 0.25f);
  return layer;
}

double loss(const Layer& layer, const Matrix& x, const Matrix& direction) {
  Matrix y(x.rows, out);
  layer.forward(x.view(), y.view());
  double sum = 0;
  for (std::size_t i = 0; i < y.values.size(); ++i)
    sum += double{y.values[i]} * double{direction.values[i]};
  return sum;
}

TEST_CASE("BranchedLinear: the sum of both", "[linear]") {
  const Layer layer = make_layer();
  CHECK(layer.branch().gain() == 2.0f);
  for (const std::size_t tokens : {0u, 1u, 8u, 9u, 70u}) {
    const Matrix x = whole_numbers(tokens, in, 4);
    Matrix y(tokens, out);
    layer.forward(x.view(), y.view());
    for (std::size_t t = 0; t < tokens; ++t)
      for (std::size_t i = 0; i < out; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < in; ++j) {
          double weight = layer.layer().weight()(i, j);
          for (std::size_t k = 0; k < rank; ++k)
            weight +=
                2.0 * layer.branch().a()(i, k) * (k < 2 ? 1.0 : 0.25) * layer.branch().b()(k, j);
          sum += weight * x(t, j);
        }
        CHECK(double{y(t, i)} == sum);
      }
  }
}

TEST_CASE("BranchedLinear: gradients are central differences, exactly", "[linear]") {
  Layer layer = make_layer();
  const std::size_t tokens = GENERATE(1u, 9u);
  Matrix x = whole_numbers(tokens, in, 4);
  const Matrix direction = whole_numbers(tokens, out, 5);
  Matrix grad_x(tokens, in);
  layer.backward(x.view(), direction.view(), grad_x.view());
  Parameters<float> all = layer.parameters();
  REQUIRE(all.size() == 3);
  CHECK(all[1].name == "branch.A");
  CHECK(all[2].name == "branch.B");
  const auto check = [&](float& number, float gradient) {
    number += 1.0f;
    const double above = loss(layer, x, direction);
    number -= 2.0f;
    const double below = loss(layer, x, direction);
    number += 1.0f;
    CHECK(double{gradient} == (above - below) / 2);  // linear in each single number
  };
  for (const Parameter<float>& each : all)
    for (std::size_t i = 0; i < each.value.size(); ++i) check(each.value[i], each.gradient[i]);
  for (std::size_t i = 0; i < x.values.size(); ++i) check(x.values[i], grad_x.values[i]);
}

TEST_CASE("BranchedLinear: gradients add up, and are the same for any number of threads",
          "[linear]") {
  const Matrix x = random_matrix(70, in, 1.0f, 6), grad_y = random_matrix(70, out, 1.0f, 7);
  const int before = thread_count();
  std::vector<std::vector<float>> seen;
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    Layer layer = make_layer();
    Matrix grad_x(70, in);
    layer.backward(x.view(), grad_y.view(), grad_x.view());
    std::vector<float> all = grad_x.values;
    for (const auto& each : layer.parameters())
      all.insert(all.end(), each.gradient.begin(), each.gradient.end());
    seen.push_back(std::move(all));
  }
  set_thread_count(before);
  CHECK(bits_of(seen[0]) == bits_of(seen[1]));

  Layer layer = make_layer();
  const Matrix whole_x = whole_numbers(3, in, 4), whole_grad = whole_numbers(3, out, 5);
  Matrix grad_x(3, in);
  layer.backward(whole_x.view(), whole_grad.view(), grad_x.view());
  std::vector<float> once(layer.parameters()[2].gradient.begin(),
                          layer.parameters()[2].gradient.end());
  layer.backward(whole_x.view(), whole_grad.view(), grad_x.view());
  for (std::size_t i = 0; i < once.size(); ++i)
    CHECK(layer.parameters()[2].gradient[i] == 2 * once[i]);
}

TEST_CASE("BranchedLinear: at rank 0 it is the layer, which merges", "[linear]") {
  using Trained = QuantLinear<Int<4>, FullRank, WeightDomain, Lsq>;
  const Matrix weight = random_matrix(out, in, 0.3f, 8), x = random_matrix(7, in, 1.0f, 9),
               grad_y = random_matrix(7, out, 1.0f, 10);
  BranchedLinear<Trained, rank> layer(Trained(weight.view()));
  CHECK(layer.in_features() == in);
  CHECK(layer.out_features() == out);
  CHECK(layer.bytes().total() > Trained(weight.view()).bytes().total());
  CHECK_THROWS_WITH(layer.merge(), Contains("the branch still has rank 5"));
  CHECK_THROWS_WITH(AnyLinear(layer).merge(), Contains("the branch still has rank 5"));

  layer.branch().set_factors({nullptr, out, 0}, {nullptr, 0, in});
  CHECK(layer.parameters().size() == Trained(weight.view()).parameters().size());
  CHECK(layer.bytes().total() == Trained(weight.view()).bytes().total());
  Passes passes = run_passes(layer, x, grad_y);
  CHECK(passes == run_passes(Trained(weight.view()), x, grad_y));
  Matrix y(7, out);
  layer.merge().forward(x.view(), y.view());
  CHECK(bits_of(y.values) == bits_of(passes.y.values));
  CHECK(AnyLinear(layer).merge().is_merged());
}

}  // namespace
}  // namespace lrqat::test::branched_linear_cases
