// SPDX-License-Identifier: MIT
// linear/dense_linear.test.cpp: the plain linear layer against plain sums and differences.
#include <lrqat/linear/dense_linear.hpp>

#include <lrqat/backend/parallel_for.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>

#include <cmath>
#include <string>
#include <vector>

using lrqat::DenseLinear;
using lrqat::MatrixView;
using lrqat::test::Tensor;

namespace {

struct Case {
  std::size_t tokens, in, out;
};
// One token, few, many; sizes around the tiles' sides.
const std::vector<Case> cases{{1, 5, 3}, {8, 64, 172}, {9, 17, 300}, {70, 172, 64}, {130, 33, 65}};

/// Of a chain of `terms` multiply-adds: one rounding each, of sums no larger than `magnitude`.
double chain_bound(std::size_t terms, double magnitude) {
  return static_cast<double>(terms) * 0x1p-24 * magnitude;
}

struct Passes {
  Tensor<float> y, grad_x;
  std::vector<float> grad_weight, grad_bias;
};

Passes run(const Case& c) {
  const Tensor<float> w(c.out, c.in, 1, 0.5), x(c.tokens, c.in, 2, 1.0);
  const Tensor<float> grad_y(c.tokens, c.out, 3, 1.0), b(1, c.out, 4, 1.0);
  lrqat::DenseOptions options;
  options.bias = b.values;
  DenseLinear<float> layer(w.view(), options);
  Passes result{Tensor<float>(c.tokens, c.out, 9.0f), Tensor<float>(c.tokens, c.in, 9.0f), {}, {}};
  layer.forward(x.view(), result.y.view());
  layer.backward(x.view(), grad_y.view(), result.grad_x.view());
  const auto parameters = layer.parameters();
  result.grad_weight.assign(parameters[0].gradient.begin(), parameters[0].gradient.end());
  result.grad_bias.assign(parameters[1].gradient.begin(), parameters[1].gradient.end());
  return result;
}

}  // namespace

TEST_CASE("DenseLinear: both passes equal sums in double within rounding", "[linear]") {
  for (const Case& c : cases) {
    INFO(c.tokens << " tokens, " << c.in << " -> " << c.out);
    const Tensor<double> w(c.out, c.in, 1, 0.5), x(c.tokens, c.in, 2, 1.0);
    const Tensor<double> g(c.tokens, c.out, 3, 1.0), b(1, c.out, 4, 1.0);
    const Passes got = run(c);
    double worst = 0;  // as a multiple of its bound
    const auto compare = [&](float value, std::size_t terms, auto term, double start) {
      double sum = start, magnitude = std::abs(start);
      for (std::size_t k = 0; k < terms; ++k) {
        sum += term(k);
        magnitude += std::abs(term(k));
      }
      // Besides the chain: the two rounded factors of each product, and the bias.
      const double bound = chain_bound(terms + 3, magnitude);
      worst = std::max(worst, std::abs(static_cast<double>(value) - sum) / bound);
    };
    for (std::size_t t = 0; t < c.tokens; ++t) {
      for (std::size_t o = 0; o < c.out; ++o)
        compare(
            got.y.view()(t, o), c.in,
            [&](std::size_t k) { return x.view()(t, k) * w.view()(o, k); }, b.values[o]);
      for (std::size_t i = 0; i < c.in; ++i)
        compare(
            got.grad_x.view()(t, i), c.out,
            [&](std::size_t k) { return g.view()(t, k) * w.view()(k, i); }, 0);
    }
    for (std::size_t o = 0; o < c.out; ++o) {
      compare(
          got.grad_bias[o], c.tokens, [&](std::size_t k) { return g.view()(k, o); }, 0);
      for (std::size_t i = 0; i < c.in; ++i)
        compare(
            got.grad_weight[o * c.in + i], c.tokens,
            [&](std::size_t k) { return g.view()(k, o) * x.view()(k, i); }, 0);
    }
    CHECK(worst <= 1);
  }
}

TEST_CASE("DenseLinear: gradients are those of finite differences", "[linear]") {
  const Tensor<float> w(7, 5, 1, 0.5), bias(1, 7, 4, 1.0);
  lrqat::DenseOptions options;
  options.bias = bias.values;
  DenseLinear<double> layer(w.view(), options);
  Tensor<double> x(3, 5, 2, 1.0), y(3, 7), grad_x(3, 5);
  const Tensor<double> grad_y(3, 7, 3, 1.0);
  const auto loss = [&] {
    layer.forward(x.view(), y.view());
    return lrqat::test::dot(y.values, grad_y.values);
  };
  layer.backward(x.view(), grad_y.view(), grad_x.view());
  CHECK(lrqat::test::worst_gradient_error(loss, x.values, grad_x.values) <= 1);
  for (const auto& parameter : layer.parameters())
    CHECK(lrqat::test::worst_gradient_error(loss, parameter.value, parameter.gradient) <= 1);
}

TEST_CASE("DenseLinear: gradients add up, and only grad_x is overwritten", "[linear]") {
  const Tensor<float> w(4, 6, 1, 1.0);
  const Tensor<float> x(5, 6, 2, 1.0), grad_y(5, 4, 3, 1.0);
  DenseLinear<float> layer(w.view());
  Tensor<float> once(5, 6), twice(5, 6);
  layer.backward(x.view(), grad_y.view(), once.view());
  const auto gradient = layer.parameters()[0].gradient;
  const std::vector<float> first(gradient.begin(), gradient.end());
  std::fill(gradient.begin(), gradient.end(), 0.0f);
  layer.backward(x.view(), grad_y.view(), twice.view());
  CHECK(std::vector<float>(gradient.begin(), gradient.end()) == first);
  CHECK(once.values == twice.values);
  layer.backward(x.view(), grad_y.view(), twice.view());
  CHECK(once.values == twice.values);
  // The second time the chain starts at the first sum g: 5 roundings of numbers up to 2 |g| + sum.
  for (std::size_t i = 0; i < first.size(); ++i)
    CHECK(std::abs(gradient[i] - 2 * first[i]) <= 5 * 0x1p-24f * 40);
}

TEST_CASE("DenseLinear: the same bits for any number of threads", "[linear]") {
  const int before = lrqat::thread_count();
  for (const Case& c : cases) {
    lrqat::set_thread_count(1);
    const Passes one = run(c);
    for (const int threads : {2, 3, 7}) {
      lrqat::set_thread_count(threads);
      const Passes many = run(c);
      CHECK(many.y.values == one.y.values);
      CHECK(many.grad_x.values == one.grad_x.values);
      CHECK(many.grad_weight == one.grad_weight);
    }
  }
  lrqat::set_thread_count(before);
}

TEST_CASE("DenseLinear: one token gives the bits that many give", "[linear]") {
  const Tensor<float> w(70, 50, 1, 1.0), x(20, 50, 2, 1.0);
  const DenseLinear<float> layer(w.view());
  Tensor<float> all(20, 70), one(1, 70);
  layer.forward(x.view(), all.view());
  for (std::size_t t = 0; t < 20; ++t) {
    layer.forward(x.view().block(t, 0, 1, 50), one.view());
    for (std::size_t o = 0; o < 70; ++o) CHECK(one.values[o] == all.view()(t, o));
  }
}

TEST_CASE("DenseLinear: frozen, it has neither gradients nor parameters", "[linear]") {
  const Tensor<float> w(4, 6, 1, 1.0), x(5, 6, 2, 1.0), grad_y(5, 4, 3, 1.0);
  lrqat::DenseOptions options;
  options.training = lrqat::Training::frozen;
  DenseLinear<float> frozen(w.view(), options), trained(w.view());
  Tensor<float> grad_frozen(5, 6), grad_trained(5, 6);
  frozen.backward(x.view(), grad_y.view(), grad_frozen.view());
  trained.backward(x.view(), grad_y.view(), grad_trained.view());
  CHECK(grad_frozen.values == grad_trained.values);
  CHECK(frozen.parameters().empty());
  CHECK(frozen.bytes().total() == 24 * sizeof(float));
  CHECK(trained.bytes().total() == 48 * sizeof(float));
}

TEST_CASE("DenseLinear: errors name the shapes", "[linear]") {
  const Tensor<float> w(4, 6, 1, 1.0), x(5, 7, 2, 1.0), bias(1, 3, 3, 1.0);
  Tensor<float> y(5, 4);
  const DenseLinear<float> layer(w.view());
  CHECK_THROWS_WITH(layer.forward(x.view(), y.view()),
                    Catch::Contains("x is (5, 7)") && Catch::Contains("weight (4, 6)"));
  lrqat::DenseOptions options;
  options.bias = bias.values;
  CHECK_THROWS_WITH(DenseLinear<float>(w.view(), options), Catch::Contains("the bias 3 numbers"));
}
