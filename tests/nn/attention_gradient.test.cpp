// SPDX-License-Identifier: MIT
// nn/attention_gradient.test.cpp: gradients of attention against finite differences.
#include <lrqat/nn/attention_gradient.hpp>

#include <lrqat/backend/parallel_for.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using lrqat::AttentionShape;
using lrqat::test::Tensor;

namespace {

template <class T>
struct Passes {
  Tensor<T> query, key, value, output, log_sum_exp, grad_output, grad_query, grad_key, grad_value;

  explicit Passes(const AttentionShape& s)
      : query(s.query_shape().rows, s.query_shape().cols, 1, 1.0),
        key(s.key_shape().rows, s.key_shape().cols, 2, 1.0),
        value(s.key_shape().rows, s.key_shape().cols, 3, 1.0),
        output(query.rows, query.cols),
        log_sum_exp(s.log_sum_exp_shape().rows, s.log_sum_exp_shape().cols),
        grad_output(query.rows, query.cols, 4, 1.0),
        grad_query(query.rows, query.cols, T(-7)),
        grad_key(key.rows, key.cols, T(-7)),
        grad_value(key.rows, key.cols, T(-7)) {}
  void forward(const AttentionShape& shape) {
    lrqat::attention_forward<T>(shape, query.view(), key.view(), value.view(), output.view(),
                                log_sum_exp.view());
  }
  void run(const AttentionShape& shape) {
    forward(shape);
    const Passes& tape = *this;
    lrqat::attention_backward<T>(
        shape,
        {tape.query.view(), tape.key.view(), tape.value.view(), tape.output.view(),
         tape.log_sum_exp.view(), tape.grad_output.view()},
        {grad_query.view(), grad_key.view(), grad_value.view()});
  }
};

}  // namespace

TEST_CASE("attention: gradients are those of finite differences", "[nn]") {
  struct Case {
    AttentionShape shape;
    std::size_t stride;  // every so many numbers are tried
  };
  const std::vector<Case> cases{{{2, 5, 5, 4, 2, 4}, 1},
                                {{1, 70, 70, 2, 1, 4}, 17},
                                {{1, 3, 80, 2, 2, 6}, 13},
                                {{1, 66, 131, 2, 1, 2}, 19}};
  for (const auto& [shape, stride] : cases) {
    INFO(shape.queries << " of " << shape.keys);
    Passes<double> passes(shape);
    passes.run(shape);
    const auto loss = [&, &s = shape] {
      passes.forward(s);
      return lrqat::test::dot(passes.output.values, passes.grad_output.values);
    };
    using lrqat::test::worst_gradient_error;
    CHECK(worst_gradient_error(loss, passes.query.values, passes.grad_query.values, stride) <= 1);
    CHECK(worst_gradient_error(loss, passes.key.values, passes.grad_key.values, stride) <= 1);
    CHECK(worst_gradient_error(loss, passes.value.values, passes.grad_value.values, stride) <= 1);
  }
}

TEST_CASE("attention: float gradients equal those in double within rounding", "[nn]") {
  const AttentionShape shape{2, 200, 200, 4, 2, 8};
  Passes<float> single(shape);
  Passes<double> exact(shape);
  single.run(shape);
  exact.run(shape);
  const auto largest = [](const std::vector<double>& values) {
    double size = 0;
    for (const double value : values) size = std::max(size, std::abs(value));
    return size;
  };
  const auto worst = [&](const Tensor<float>& got, const Tensor<double>& wanted) {
    double error = 0;
    for (std::size_t i = 0; i < got.values.size(); ++i)
      error = std::max(error, std::abs(double{got.values[i]} - wanted.values[i]));
    return error;
  };
  // Each gradient is a sum over 200 positions (400 for the shared keys) of p (dp - inner) x. Inputs
  // and their sums over head_dim stay below 5 and 8 * 25; a score below 30 has a relative error of
  // (8 + 3) * 30 roundings, which p inherits; a row's p add up to 1, a column's to about 400 / 200.
  const double p_error = (8 + 3) * 30 * 0x1p-24;
  const double bound = (p_error + 400 * 0x1p-24) * 2 * 8 * 25 * 5;
  CHECK(worst(single.grad_query, exact.grad_query) <= bound);
  CHECK(worst(single.grad_key, exact.grad_key) <= bound);
  CHECK(worst(single.grad_value, exact.grad_value) <= bound);
  CHECK(bound <= 0.2 * largest(exact.grad_key.values));  // the comparison says something
}

TEST_CASE("attention: the same bits for any number of threads", "[nn]") {
  const AttentionShape shape{2, 150, 150, 4, 2, 8};
  const int before = lrqat::thread_count();
  lrqat::set_thread_count(1);
  Passes<float> one(shape);
  one.run(shape);
  for (const int threads : {2, 3, 7}) {
    lrqat::set_thread_count(threads);
    Passes<float> many(shape);
    many.run(shape);
    CHECK(many.output.values == one.output.values);
    CHECK(many.grad_query.values == one.grad_query.values);
    CHECK(many.grad_key.values == one.grad_key.values);
    CHECK(many.grad_value.values == one.grad_value.values);
  }
  lrqat::set_thread_count(before);
}
