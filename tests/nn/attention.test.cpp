// SPDX-License-Identifier: MIT
// nn/attention.test.cpp: causal attention against its definition in plain loops.
#include <lrqat/nn/attention.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/machine.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using lrqat::AttentionShape;
using lrqat::test::Tensor;

namespace {

struct Attention {
  Tensor<float> query, key, value, output, log_sum_exp;

  explicit Attention(const AttentionShape& s, double width = 1.0)
      : query(s.query_shape().rows, s.query_shape().cols, 1, width),
        key(s.key_shape().rows, s.key_shape().cols, 2, width),
        value(s.key_shape().rows, s.key_shape().cols, 3, 1.0),
        output(query.rows, query.cols, -7.0f),
        log_sum_exp(s.log_sum_exp_shape().rows, s.log_sum_exp_shape().cols, -7.0f) {}
  void run(const AttentionShape& shape) {
    lrqat::attention_forward<float>(shape, query.view(), key.view(), value.view(), output.view(),
                                    log_sum_exp.view());
  }
};

/// The largest errors of output and log_sum_exp against the definition in double, each as a
/// multiple of its bound.
double worst_error(const AttentionShape& s, const Attention& a) {
  double worst = 0;
  std::vector<double> score(s.keys);
  for (std::size_t sequence = 0; sequence < s.sequences; ++sequence)
    for (std::size_t head = 0; head < s.heads; ++head)
      for (std::size_t i = 0; i < s.queries; ++i) {
        const std::size_t row = sequence * s.queries + i, kv_col = head / s.group() * s.head_dim;
        const std::size_t seen = s.keys - s.queries + i + 1;
        double largest = -1e300, magnitude = 0, largest_value = 0;
        for (std::size_t k = 0; k < seen; ++k) {
          double sum = 0, sizes = 0;
          for (std::size_t d = 0; d < s.head_dim; ++d) {
            const double product = double{a.query.view()(row, head * s.head_dim + d)} *
                                   double{a.key.view()(sequence * s.keys + k, kv_col + d)};
            sum += product;
            sizes += std::abs(product);
            largest_value = std::max(
                largest_value, std::abs(double{a.value.view()(sequence * s.keys + k, kv_col + d)}));
          }
          score[k] = sum / std::sqrt(static_cast<double>(s.head_dim));
          magnitude = std::max(magnitude, sizes / std::sqrt(static_cast<double>(s.head_dim)));
          largest = std::max(largest, score[k]);
        }
        double sum = 0;
        for (std::size_t k = 0; k < seen; ++k) sum += std::exp(score[k] - largest);
        // A score is wrong by head_dim + 2 roundings of its terms; score - maximum by one more. The
        // powers are then wrong by that, relatively, plus 2 units of exp; sums of up to `seen`
        // positive terms by seen roundings, rescaling by 5 for each 64 keys.
        const double relative =
            ((static_cast<double>(s.head_dim) + 3) * 2 * magnitude + 4 + static_cast<double>(seen) +
             5 * (static_cast<double>(seen) / 64 + 1)) *
            0x1p-24;
        const double exact_sum = largest + std::log(sum);
        const double sum_error =
            std::abs(double{a.log_sum_exp.view()(sequence * s.heads + head, i)} - exact_sum);
        worst = std::max(worst, sum_error / (relative + 2 * std::abs(exact_sum) * 0x1p-24));
        for (std::size_t d = 0; d < s.head_dim; ++d) {
          double exact = 0;
          for (std::size_t k = 0; k < seen; ++k)
            exact += std::exp(score[k] - largest) / sum *
                     double{a.value.view()(sequence * s.keys + k, kv_col + d)};
          const double got = double{a.output.view()(row, head * s.head_dim + d)};
          worst = std::max(worst, std::abs(got - exact) / (2 * relative * largest_value));
        }
      }
  return worst;
}

}  // namespace

TEST_CASE("attention: equals its definition within rounding", "[nn]") {
  // Sides of the squares from below and above, groups of 1, 2 and 4 heads, queries after a past.
  const std::vector<AttentionShape> shapes{
      {1, 1, 1, 1, 1, 2},   {2, 17, 17, 4, 2, 8},   {1, 63, 63, 2, 2, 6},
      {1, 64, 64, 4, 1, 8}, {2, 130, 130, 2, 1, 8}, {1, 200, 200, 1, 1, 40},
      {1, 1, 100, 4, 2, 8}, {2, 5, 70, 2, 1, 8},    {1, 70, 140, 2, 2, 8}};
  for (const AttentionShape& shape : shapes) {
    INFO(shape.sequences << " x " << shape.queries << " of " << shape.keys << ", " << shape.heads
                         << "/" << shape.kv_heads << " heads of " << shape.head_dim);
    Attention attention(shape);
    attention.run(shape);
    CHECK(worst_error(shape, attention) <= 1);
  }
}

TEST_CASE("attention: scores far beyond the range of exp stay finite", "[nn]") {
  const AttentionShape shape{1, 100, 100, 2, 1, 8};
  Attention attention(shape, 40.0);  // scores of some thousands
  attention.run(shape);
  CHECK(worst_error(shape, attention) <= 1);
  for (const float y : attention.output.values) CHECK(std::isfinite(y));
}

TEST_CASE("attention: a query does not see what follows", "[nn]") {
  const AttentionShape shape{1, 90, 90, 2, 1, 8};
  Attention before(shape), after(shape);
  before.run(shape);
  for (std::size_t i = 50 * 8; i < 90 * 8; ++i) after.key.values[i] = after.value.values[i] = 1e6f;
  after.run(shape);
  for (std::size_t i = 0; i < 50 * 16; ++i)
    CHECK(before.output.values[i] == after.output.values[i]);
  CHECK(before.output.values != after.output.values);
}

TEST_CASE("attention: queries after a cached past give the bits of the whole", "[nn]") {
  const AttentionShape whole{1, 150, 150, 4, 2, 8};
  Attention all(whole);
  all.run(whole);
  for (const std::size_t last : {1u, 20u, 70u}) {
    const AttentionShape part{1, last, 150, 4, 2, 8};
    Attention some(part);
    some.key = all.key;
    some.value = all.value;
    const std::size_t skipped = (150 - last) * 32;
    some.query.values.assign(all.query.values.begin() + static_cast<std::ptrdiff_t>(skipped),
                             all.query.values.end());
    some.run(part);
    for (std::size_t i = 0; i < some.output.values.size(); ++i)
      CHECK(some.output.values[i] == all.output.values[skipped + i]);
  }
}

TEST_CASE("attention: a single query gives the bits of many, on any machine", "[nn]") {
  const lrqat::test::MachineSettings settings;
  for (const auto isa : lrqat::test::isas_of_machine())
    for (const std::size_t keys : {1u, 2u, 63u, 64u, 65u, 130u, 199u})
      for (const std::size_t dim : {2u, 6u, 16u, 40u}) {
        lrqat::kernel::set_active_isa(isa);
        const AttentionShape many{1, keys, keys, 4, 2, dim}, one{2, 1, keys, 4, 2, dim};
        Attention all(many, 3.0), last(one);
        all.run(many);
        // The same sequence twice.
        for (std::size_t i = 0; i < last.key.values.size(); ++i) {
          last.key.values[i] = all.key.values[i % all.key.values.size()];
          last.value.values[i] = all.value.values[i % all.key.values.size()];
        }
        const std::size_t width = 4 * dim, skipped = (keys - 1) * width;
        for (std::size_t i = 0; i < 2 * width; ++i)
          last.query.values[i] = all.query.values[skipped + i % width];
        last.run(one);
        bool same = true;
        for (std::size_t i = 0; i < 2 * width; ++i)
          same = same && last.output.values[i] == all.output.values[skipped + i % width];
        for (std::size_t i = 0; i < 8; ++i)
          same = same && last.log_sum_exp.values[i] == all.log_sum_exp.view()(i % 4, keys - 1);
        INFO(lrqat::test::isa_name(isa) << ", " << keys << " keys, heads of " << dim);
        CHECK(same);
      }
}

TEST_CASE("attention: errors name the shapes", "[nn]") {
  const AttentionShape shape{1, 4, 4, 2, 1, 8};
  Attention attention(shape);
  AttentionShape wrong = shape;
  wrong.queries = 5;
  CHECK_THROWS_WITH(attention.run(wrong), Catch::Contains("5 queries, but only 4 keys"));
  wrong = shape;
  wrong.heads = 3;
  wrong.kv_heads = 2;
  CHECK_THROWS_WITH(attention.run(wrong), Catch::Contains("3 heads are not a multiple of 2"));
  wrong = shape;
  wrong.head_dim = 4;
  CHECK_THROWS_WITH(attention.run(wrong), Catch::Contains("query is (4, 16), wanted is (4, 8)"));
}
