// SPDX-License-Identifier: MIT
// nn/sampler.test.cpp: greedy, tempered and nucleus sampling.
#include <lrqat/nn/sampler.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <span>
#include <vector>

using lrqat::Sampler;
using lrqat::SamplerOptions;

namespace {

std::vector<int> counts_of(const std::vector<float>& logits, SamplerOptions options, int draws) {
  Sampler sampler(options);
  std::vector<int> counts(logits.size());
  for (int i = 0; i < draws; ++i) ++counts[sampler.next(std::span<const float>(logits))];
  return counts;
}

}  // namespace

TEST_CASE("greedy_token: the first of the largest", "[nn]") {
  const std::vector<float> logits{1, 3, -2, 3};
  CHECK(lrqat::greedy_token(std::span<const float>(logits)) == 1);
  CHECK(counts_of(logits, {0.0, 1.0, 1}, 10)[1] == 10);
}

TEST_CASE("Sampler: frequencies follow the tempered softmax", "[nn]") {
  const std::vector<float> logits{0.0f, 1.0f, 2.0f};
  constexpr int draws = 20000;
  for (const double temperature : {0.5, 1.0, 2.0}) {
    const std::vector<int> counts = counts_of(logits, {temperature, 1.0, 3}, draws);
    double sum = 0;
    for (const float logit : logits) sum += std::exp(double{logit} / temperature);
    for (std::size_t i = 0; i < 3; ++i) {
      const double p = std::exp(double{logits[i]} / temperature) / sum;
      // Five standard deviations of a binomial count.
      CHECK(std::abs(counts[i] - draws * p) <= 5 * std::sqrt(draws * p * (1 - p)));
    }
  }
}

TEST_CASE("Sampler: a nucleus holds the fewest likeliest tokens", "[nn]") {
  // Probabilities 0.1, 0.6, 0.3.
  const std::vector<float> logits{std::log(0.1f), std::log(0.6f), std::log(0.3f)};
  const auto counts = counts_of(logits, {1.0, 0.8, 3}, 3000);
  CHECK(counts[0] == 0);
  CHECK(std::abs(counts[1] - 2000.0) <= 5 * std::sqrt(3000.0 * 2 / 9));
  CHECK(counts_of(logits, {1.0, 0.6, 3}, 100)[1] == 100);
}

TEST_CASE("Sampler: the same seed draws the same tokens", "[nn]") {
  const std::vector<float> logits(50, 0.0f);
  Sampler one({1.0, 1.0, 7}), same({1.0, 1.0, 7}), other({1.0, 1.0, 8});
  bool equal = true, all_equal = true;
  for (int i = 0; i < 50; ++i) {
    const auto token = one.next(std::span<const float>(logits));
    equal = equal && token == same.next(std::span<const float>(logits));
    all_equal = all_equal && token == other.next(std::span<const float>(logits));
  }
  CHECK(equal);
  CHECK_FALSE(all_equal);
}

TEST_CASE("Sampler: options outside their range are errors", "[nn]") {
  CHECK_THROWS_WITH(Sampler({-1.0, 1.0, 0}), Catch::Contains("temperature is -1"));
  CHECK_THROWS_WITH(Sampler({1.0, 0.0, 0}), Catch::Contains("top_p is 0"));
  CHECK_THROWS_WITH(Sampler({1.0, 1.5, 0}), Catch::Contains("top_p is 1.5"));
}
