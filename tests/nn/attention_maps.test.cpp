// SPDX-License-Identifier: MIT
// tests/nn/attention_maps.test.cpp: maps of attention and spreads of heads against plain loops.
#include <lrqat/nn/attention_maps.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/machine.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace lrqat::test::attention_maps {
namespace {

constexpr AttentionShape shape{2, 130, 130,
                               4, 2,   6};  // three parts of a head, the last of two rows
constexpr double pairs = 130 * 131 / 2;     // of a map
/// A probability is behind a score below 30, whose 6 + 3 roundings become relative ones of it.
constexpr double of_probability = (6 + 3) * 30;

/// Queries and keys, and the sums that attention keeps of them.
template <class T>
struct Heads {
  Tensor<T> query, key, log_sum_exp{8, 130}, attended{260, 24};

  explicit Heads(std::uint64_t seed) : query(260, 24, seed, 1.0), key(260, 12, seed + 1, 1.0) {
    const Heads& own = *this;
    attention_forward<T>(shape, own.query.view(), own.key.view(), own.key.view(), attended.view(),
                         log_sum_exp.view());
  }
  MapSource<T> source() const { return {query.view(), key.view(), log_sum_exp.view()}; }
};

/// The map of a head, (130, 130).
std::vector<double> defined_map(const Heads<double>& heads, std::size_t sequence,
                                std::size_t head) {
  std::vector<double> map(130 * 130);
  for (std::size_t q = 0; q < 130; ++q) {
    double sum = 0;
    for (std::size_t k = 0; k <= q; ++k) {
      double score = 0;
      for (std::size_t d = 0; d < 6; ++d)
        score += heads.query.view()(sequence * 130 + q, head * 6 + d) *
                 heads.key.view()(sequence * 130 + k, head / 2 * 6 + d);
      sum += map[q * 130 + k] = std::exp(score / std::sqrt(6.0));
    }
    for (std::size_t k = 0; k <= q; ++k) map[q * 130 + k] /= sum;
  }
  return map;
}
std::vector<std::vector<double>> defined_maps(const Heads<double>& heads) {
  std::vector<std::vector<double>> maps;
  for (std::size_t s = 0; s < 2; ++s)
    for (std::size_t head = 0; head < 4; ++head) maps.push_back(defined_map(heads, s, head));
  return maps;
}

double defined_entropy(const Tensor<double>& x) {
  double sum = 0;
  for (std::size_t first = 0; first < x.values.size(); first += 6) {
    double mean = 0, squares = 0;
    for (std::size_t d = 0; d < 6; ++d) mean += x.values[first + d] / 6;
    for (std::size_t d = 0; d < 6; ++d) squares += std::pow(x.values[first + d] - mean, 2);
    sum += std::log(1 + squares / 5);
  }
  return sum;
}

}  // namespace

TEST_CASE("map_products: their definition, over several parts", "[nn]") {
  const Heads<double> own(1), wanted(3);
  const std::vector<MapProducts> products =
      map_products<double>(shape, own.source(), wanted.source());
  const auto a = defined_maps(own), b = defined_maps(wanted);
  REQUIRE(products.size() == 8);
  for (std::size_t i = 0; i < 8; ++i) {
    // Sums of terms that are not negative, both ways.
    const auto near = [](double sum) {
      return Approx(sum).epsilon((pairs + 2 * of_probability) * 0x1p-52);
    };
    CHECK(products[i].both == near(dot(a[i], b[i])));
    CHECK(products[i].own == near(dot(a[i], a[i])));
    CHECK(products[i].wanted == near(dot(b[i], b[i])));
  }
  CHECK(MapProducts{}.cosine() == 0);
}

TEST_CASE("add_cosine_gradients: those of the defined cosines, over several parts", "[nn]") {
  Heads<double> own(1);
  const Heads<double> wanted(3);
  const auto b = defined_maps(wanted);
  const auto loss = [&] {
    double sum = 0;
    const auto a = defined_maps(own);
    for (std::size_t i = 0; i < 8; ++i)
      sum += dot(a[i], b[i]) / std::sqrt(dot(a[i], a[i]) * dot(b[i], b[i]));
    return 3 * sum;
  };
  Tensor<double> grad_query(260, 24), grad_key(260, 12);
  const auto products = map_products<double>(shape, own.source(), wanted.source());
  add_cosine_gradients<double>(shape, own.source(), wanted.source(), products, 3.0,
                               grad_query.view(), grad_key.view());
  const double roundings = 2 * (pairs + of_probability);
  CHECK(worst_gradient_error(loss, own.query.values, grad_query.values, 401, roundings) <= 1);
  CHECK(worst_gradient_error(loss, own.key.values, grad_key.values, 307, roundings) <= 1);
  double largest = 0;
  for (const double g : grad_key.values) largest = std::max(largest, g);
  CHECK(largest > 100 * roundings * 0x1p-52 * loss() / 1e-4);  // the comparison says something
}

TEST_CASE("head_entropy: its definition and the gradients of that", "[nn]") {
  Tensor<double> x(130, 24, 5, 1.0), grad(130, 24);
  constexpr double terms = 130 * 4;
  CHECK(head_entropy<double>(x.view(), 6) == Approx(defined_entropy(x)).epsilon(terms * 0x1p-52));
  add_entropy_gradients<double>(x.view(), 6, 2.0, grad.view());
  const auto loss = [&] { return 2 * defined_entropy(x); };
  CHECK(worst_gradient_error(loss, x.values, grad.values, 29, terms) <= 1);
  CHECK_THROWS_WITH(head_entropy<double>(x.view(), 1), Catch::Contains("24 numbers in heads of 1"));
  CHECK_THROWS_WITH(head_entropy<double>(x.view(), 7), Catch::Contains("24 numbers in heads of 7"));
}

TEST_CASE("attention maps: the same bits for any number of threads", "[nn]") {
  const MachineSettings restored;
  const Heads<float> own(1), wanted(3);
  const auto numbers = [&](int threads) {
    set_thread_count(threads);
    Tensor<float> query(260, 24), key(260, 12);
    const auto products = map_products<float>(shape, own.source(), wanted.source());
    add_cosine_gradients<float>(shape, own.source(), wanted.source(), products, 1.0, query.view(),
                                key.view());
    add_entropy_gradients<float>(own.query.view(), 6, 1.0, query.view());
    std::vector<double> all{head_entropy<float>(own.query.view(), 6)};
    for (const MapProducts& each : products)
      all.insert(all.end(), {each.both, each.own, each.wanted});
    all.insert(all.end(), query.values.begin(), query.values.end());
    all.insert(all.end(), key.values.begin(), key.values.end());
    return all;
  };
  const std::vector<double> one = numbers(1);
  for (const int threads : thread_counts({2, 3, 7})) CHECK(numbers(threads) == one);
}

TEST_CASE("attention maps: other shapes are refused", "[nn]") {
  const Heads<double> own(1);
  MapSource<double> wide = own.source(), short_sums = own.source();
  wide.key = wide.query;
  short_sums.log_sum_exp = short_sums.log_sum_exp.block(0, 0, 8, 129);
  const auto source = own.source();
  CHECK_THROWS_WITH(map_products<double>(shape, source, wide),
                    Catch::Contains("key is (260, 24), wanted is (260, 12)"));
  CHECK_THROWS_WITH(map_products<double>(shape, short_sums, source),
                    Catch::Contains("log_sum_exp is (8, 129)"));
  Tensor<double> query(260, 24), key(260, 12);
  std::vector<MapProducts> products(8);
  CHECK_THROWS_WITH(
      add_cosine_gradients<double>(shape, source, wide, products, 1.0, query.view(), key.view()),
      Catch::Contains("key is (260, 24)"));
  CHECK_THROWS_WITH(add_cosine_gradients<double>(shape, source, source, products, 1.0, query.view(),
                                                 query.view()),
                    Catch::Contains("grad_key is (260, 24)"));
  products.pop_back();
  CHECK_THROWS_WITH(
      add_cosine_gradients<double>(shape, source, source, products, 1.0, query.view(), key.view()),
      Catch::Contains("products of 7 maps, there are 8"));
}

}  // namespace lrqat::test::attention_maps
