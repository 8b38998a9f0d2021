// SPDX-License-Identifier: MIT
// tests/initializer/offsets.test.cpp: initializers on grids with an offset, and NoClip.
#include <lrqat/initializer/no_clip.hpp>

#include <lrqat/grid/offset.hpp>
#include <lrqat/initializer/full_range.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/initializer/min_max.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <vector>

namespace lrqat::test {
namespace {

static_assert(InitializerOf<NoClip, Int<4>> && InitializerOf<NoClip, Offset<Int<2>>>);
static_assert(!InitializerOf<NoClip, UInt<4>> && !InitializerOf<NoClip, Offset<UInt<4>>>);

template <Grid G>
float error_of(const QParams& chosen, std::span<const float> group) {
  float worst = 0.0f;
  for (const float w : group) {
    const float u = (w - chosen.offset) / chosen.scale;
    const float level = G::clip(G::round(u), chosen.zero_point);
    worst = std::max(worst, std::fabs(weight_of_level<G>(chosen.scale, level, chosen.offset) - w));
  }
  return worst;
}

TEST_CASE("MinMax: the ends of an offset grid lie on the extremes", "[initializer]") {
  for (const std::vector<float>& group :
       {std::vector<float>{-1.0f, 2.75f, 0.5f}, {3.0f, 4.0f, 3.5f}, {-7.0f, -6.25f}}) {
    const float low = *std::min_element(group.begin(), group.end());
    const float high = *std::max_element(group.begin(), group.end());
    const QParams plain = MinMax::choose<Offset<UInt<4>>>(group);
    CHECK(plain.scale == (high - low) / 15.0f);
    CHECK(plain.offset == low);
    CHECK(plain.zero_point == 0.0f);
    const QParams centered = MinMax::choose<Offset<Int<4>>>(group);
    CHECK(centered.scale == plain.scale);
    CHECK(centered.offset == Approx(low + 8.0f * plain.scale).epsilon(1e-6));
    for (const QParams& each : {plain, centered, FullRange::choose<Offset<Int<4>>>(group)})
      CHECK(error_of<Offset<Int<4>>>({each.scale, 0.0f, centered.offset}, group) <=
            0.5f * each.scale * (1.0f + 1e-5f));
  }
}

TEST_CASE("MinMax: equal weights on an offset grid come back", "[initializer]") {
  const std::vector<float> group(5, 0.3f);
  const QParams chosen = MinMax::choose<Offset<Int<4>>>(group);
  CHECK(chosen.scale == scale_floor);
  CHECK(error_of<Offset<Int<4>>>(chosen, group) <= scale_floor);
}

TEST_CASE("LpSearch: on an offset grid no worse than the whole range", "[initializer]") {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    Matrix group = random_matrix(1, 31, 0.2f, seed);
    for (float& w : group.values) w += 0.15f * static_cast<float>(seed % 4);
    const auto loss = [&](const QParams& chosen) {
      double sum = 0;
      for (const float w : group.values) {
        const float one[] = {w};
        sum += std::pow(static_cast<double>(error_of<Offset<Int<3>>>(chosen, one)), 2.0);
      }
      return sum;
    };
    const QParams searched = LpSearch<2>::choose<Offset<Int<3>>>(group.values);
    CHECK(loss(searched) <= loss(MinMax::choose<Offset<Int<3>>>(group.values)));
  }
}

TEST_CASE("NoClip: every weight lies inside the range in float", "[initializer]") {
  bool lowest_is_used = false, highest_is_used = false;
  for (std::uint64_t seed = 1; seed < 200; ++seed) {
    const Matrix group = random_matrix(1, 1 + seed % 7, 0.37f, seed);
    const QParams chosen = NoClip::choose<Offset<Int<4>>>(group.values);
    float low = 0.0f, high = 0.0f;
    for (const float w : group.values) {
      low = std::min(low, w / chosen.scale);
      high = std::max(high, w / chosen.scale);
    }
    CHECK(low >= -8.0f);
    CHECK(high <= 7.0f);
    CHECK((low < -8.0f + 1e-5f || high > 7.0f - 1e-5f));  // and no scale is much too wide
    CHECK(chosen.offset == 0.0f);
    lowest_is_used = lowest_is_used || low < -8.0f + 1e-5f;
    highest_is_used = highest_is_used || high > 7.0f - 1e-5f;
  }
  CHECK(lowest_is_used);
  CHECK(highest_is_used);
  CHECK(NoClip::choose<Int<4>>(std::vector<float>{0.0f, 0.0f}).scale == scale_floor);
}

}  // namespace
}  // namespace lrqat::test
