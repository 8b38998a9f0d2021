// SPDX-License-Identifier: MIT
// tests/initializer/measured.test.cpp: scales from a group's root mean square and mean magnitude.
#include <lrqat/initializer/gaussian_rms.hpp>
#include <lrqat/initializer/mean_magnitude.hpp>

#include <lrqat/grid/int.hpp>
#include <lrqat/initializer/min_max.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <set>

namespace lrqat::test {
namespace {

/// Mean squared error of rounding N(0, 1) to G with its outermost level at `range`, by the midpoint
/// rule over +-12 in steps of 1/2048, whose own error is far below the differences looked for.
template <class G>
double gaussian_error(double range) {
  const double step = range / static_cast<double>(G::level(G::code_max, 0.0f)), width = 1.0 / 2048;
  double sum = 0;
  for (double x = -12 + width / 2; x < 12; x += width) {
    const double error = x - step * G::clip(G::round(x / step), 0.0);
    sum += error * error * std::exp(-x * x / 2);
  }
  return sum * width / std::sqrt(2 * std::acos(-1.0));
}

template <class G>
void check_minimum() {
  const auto range = static_cast<double>(gaussian_range<G>);
  const double error = gaussian_error<G>(range);
  INFO("bits " << G::bits << ", error " << error);
  CHECK(error < gaussian_error<G>(0.95 * range));
  CHECK(error < gaussian_error<G>(1.05 * range));
  CHECK(error < gaussian_error<G>(0.999 * range));
  CHECK(error < gaussian_error<G>(1.001 * range));
}

TEST_CASE("GaussianRms: the grid with the smallest error of normal numbers", "[initializer]") {
  check_minimum<Sign>();
  check_minimum<Ternary>();
  check_minimum<MidRise<2>>();
  check_minimum<MidRise<3>>();
  check_minimum<MidRise<4>>();
  check_minimum<MidRise<5>>();
}

TEST_CASE("GaussianRms: the outermost level is at its share of the root mean square",
          "[initializer]") {
  for (const std::size_t count : {1u, 7u, 31u, 32u, 33u, 1000u}) {
    const std::vector<float> group = random_matrix(1, count, 0.3f, count).values;
    double squares = 0;
    for (const float value : group) squares += static_cast<double>(value) * static_cast<double>(value);
    const double rms = std::sqrt(squares / static_cast<double>(count));
    const QParams got = GaussianRms::choose<MidRise<4>>(group);
    CHECK(static_cast<double>(got.scale) * 7.5 == Approx(2.5139306 * rms).epsilon(1e-6));
    CHECK(got.zero_point == 0.0f);
  }
  CHECK(GaussianRms::choose<MidRise<4>>(std::vector<float>(5, 0.0f)).scale == scale_floor);
  CHECK(GaussianRms::choose<MidRise<4>>(std::vector<float>{}).scale == scale_floor);
}

TEST_CASE("root_mean_square: neither large nor small squares are lost", "[initializer]") {
  CHECK(root_mean_square(std::vector<float>(9, 1e30f)) == 1e30f);
  CHECK(root_mean_square(std::vector<float>(9, 1e-30f)) == 1e-30f);
  CHECK(std::isnan(root_mean_square(std::vector<float>{1.0f, std::nanf("")})));
}

TEST_CASE("TwnScale: threshold 0.7 mean |w|, alpha the mean of the survivors", "[initializer]") {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    const std::vector<float> group = random_matrix(1, 501, 0.1f, seed).values;
    double mean = 0, survivors = 0, count = 0;
    for (const float weight : group) mean += std::fabs(static_cast<double>(weight)) / 501;
    for (const float weight : group)
      if (std::fabs(static_cast<double>(weight)) > 0.7 * mean)
        survivors += std::fabs(static_cast<double>(weight)), ++count;
    const QParams got = TwnScale::choose<Ternary>(group);
    CHECK(static_cast<double>(got.step) == Approx(1.4 * mean).epsilon(1e-6));
    CHECK(static_cast<double>(got.scale) == Approx(survivors / count).epsilon(1e-6));
    // Two numbers: half the scale is not the threshold.
    CHECK(std::fabs(got.scale - got.step) > 0.02f * got.scale);
  }
}

TEST_CASE("TwnScale: groups of zeros and of one value", "[initializer]") {
  const QParams zeros = TwnScale::choose<Ternary>(std::vector<float>(4, 0.0f));
  CHECK(zeros.scale == scale_floor);
  CHECK(zeros.divisor() == scale_floor);
  const QParams ones = TwnScale::choose<Ternary>(std::vector<float>(4, -0.5f));
  CHECK(ones.scale == 0.5f);
  CHECK(Ternary::clip(Ternary::round(-0.5f / ones.divisor()), 0.0f) == -1.0f);
}

TEST_CASE("MeanMagnitude: LLM-QAT's levels of one and two bits", "[initializer]") {
  const std::vector<float> group{1.0f, -3.0f, 0.5f, -0.5f, 2.0f};  // mean magnitude 1.4
  const auto levels = [&]<class G>(G) {
    const float scale = MeanMagnitude::choose<G>(group).scale;
    std::set<float> all;
    for (int code = G::code_min; code <= G::code_max; ++code)
      all.insert(scale * G::level(code, 0.0f));
    return all;
  };
  CHECK(levels(MidRise<1>{}) == std::set<float>{-1.4f, 1.4f});
  const float alpha = 2 * 1.4f;
  CHECK(levels(MidRise<2>{}) ==
        std::set<float>{-0.75f * alpha, -0.25f * alpha, 0.25f * alpha, 0.75f * alpha});
}

TEST_CASE("MinMax: the same range whatever the length, NaN passed over", "[initializer]") {
  for (const std::size_t count : {1u, 15u, 16u, 17u, 31u, 33u, 64u})
    for (std::size_t at = 0; at < count; ++at) {
      std::vector<float> group(count, 0.25f);
      group[at] = -7.0f;
      if (at > 0) group[at - 1] = std::nanf("");
      CHECK(MinMax::choose<Int<4>>(group).scale == 1.0f);
    }
}

}  // namespace
}  // namespace lrqat::test
