// SPDX-License-Identifier: MIT
// tests/nn/attention_scores.test.cpp: the distance of scores against its definition.
#include <lrqat/nn/attention_scores.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/machine.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lrqat::test::attention_scores {
namespace {

constexpr AttentionShape shape{2, 130, 130,
                               4, 2,   6};  // three parts of a head, the last of two rows
constexpr double pairs = 2 * 4 * (130 * 131 / 2);

template <class T>
struct Case {
  Tensor<T> query{260, 24, 1, 1.0}, key{260, 12, 2, 1.0};
  Tensor<T> wanted_query{260, 24, 3, 1.0}, wanted_key{260, 12, 4, 1.0};
  Tensor<T> grad_query{260, 24, T(0)}, grad_key{260, 12, T(0)};

  double operator()(double factor) {
    const Case& own = *this;
    return score_distance<T>(shape, own.query.view(), own.key.view(), own.wanted_query.view(),
                             own.wanted_key.view(), factor, grad_query.view(), grad_key.view());
  }
};

double score(const Tensor<double>& query, const Tensor<double>& key, std::size_t sequence,
             std::size_t head, std::size_t q, std::size_t k) {
  double sum = 0;
  for (std::size_t d = 0; d < 6; ++d)
    sum += query.view()(sequence * 130 + q, head * 6 + d) *
           key.view()(sequence * 130 + k, head / 2 * 6 + d);
  return sum / std::sqrt(6.0);
}

double defined(const Case<double>& c) {
  double sum = 0;
  for (std::size_t s = 0; s < 2; ++s)
    for (std::size_t head = 0; head < 4; ++head)
      for (std::size_t q = 0; q < 130; ++q)
        for (std::size_t k = 0; k <= q; ++k)
          sum += std::pow(score(c.query, c.key, s, head, q, k) -
                              score(c.wanted_query, c.wanted_key, s, head, q, k),
                          2);
  return sum / pairs;
}

}  // namespace

TEST_CASE("score_distance: its definition and the gradients of that, over several parts", "[nn]") {
  Case<double> c;
  // Sums of `pairs` terms that are not negative, twice.
  CHECK(c(3.0) == Approx(defined(c)).epsilon(pairs * 0x1p-52));
  const auto loss = [&] { return 3 * defined(c); };
  CHECK(worst_gradient_error(loss, c.query.values, c.grad_query.values, 211, pairs) <= 1);
  CHECK(worst_gradient_error(loss, c.key.values, c.grad_key.values, 211, pairs) <= 1);
  // What the differences may be wrong by, pairs * 2^-52 * loss / 1e-4, hides no gradient.
  const double largest = *std::max_element(c.grad_key.values.begin(), c.grad_key.values.end());
  CHECK(largest > 100 * pairs * 0x1p-52 * loss() / 1e-4);

  const std::vector<double> once = c.grad_query.values;
  c(0.0);  // gradients are added
  CHECK(c.grad_query.values == once);
}

TEST_CASE("score_distance: the same bits for any number of threads", "[nn]") {
  const MachineSettings restored;
  set_thread_count(1);
  Case<float> one;
  const double distance = one(1.0);
  for (const int threads : thread_counts({2, 3, 7})) {
    set_thread_count(threads);
    Case<float> many;
    CHECK(many(1.0) == distance);
    CHECK(many.grad_query.values == one.grad_query.values);
    CHECK(many.grad_key.values == one.grad_key.values);
  }
}

TEST_CASE("score_distance: refuses other shapes; of no token it is 0", "[nn]") {
  Case<double> c;
  c.wanted_key = Tensor<double>(260, 24);
  CHECK_THROWS_WITH(c(1.0), Catch::Contains("wanted_key is (260, 24), wanted is (260, 12)"));
  Tensor<double> none(0, 24), none_key(0, 12);
  CHECK(score_distance<double>({0, 130, 130, 4, 2, 6}, none.view(), none_key.view(), none.view(),
                               none_key.view(), 1.0, none.view(), none_key.view()) == 0);
}

}  // namespace lrqat::test::attention_scores
