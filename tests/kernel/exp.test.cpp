// SPDX-License-Identifier: MIT
// kernel/exp.test.cpp: e^x against the standard library in double.
#include <lrqat/kernel/exp.hpp>
#include <lrqat/kernel/isa.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace {

std::vector<float> exp_of(const std::vector<float>& x) {
  std::vector<float> y(x.size());
  const float* const from = x.data();
  float* const to = y.data();
  lrqat::kernel::vectorised([&, from, to] {
    lrqat::kernel::for_each_lane(x.size(),
                                 [=](std::size_t i) { to[i] = lrqat::kernel::exp(from[i]); });
  });
  return y;
}

double units_apart(float got, double exact) {
  const float nearest = static_cast<float>(exact);
  const double unit =
      static_cast<double>(std::nextafter(nearest, std::numeric_limits<float>::infinity())) -
      static_cast<double>(nearest);
  return std::abs(static_cast<double>(got) - exact) / unit;
}

struct EveryIsa {
  lrqat::kernel::Isa before = lrqat::kernel::active_isa();
  ~EveryIsa() { lrqat::kernel::set_active_isa(before); }
};

}  // namespace

TEST_CASE("exp: within 2 units in the last place over the whole normal range", "[kernel]") {
  const EveryIsa restore;
  std::vector<float> x;
  for (int i = -87336; i <= 88722; ++i) x.push_back(static_cast<float>(i) * 1e-3f);
  for (int i = -20000; i <= 20000; ++i) x.push_back(static_cast<float>(i) * 1e-7f);
  for (const auto isa : lrqat::kernel::all_isas) {
    if (!lrqat::kernel::machine_has(isa)) continue;
    lrqat::kernel::set_active_isa(isa);
    const std::vector<float> y = exp_of(x);
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      worst = std::max(worst, units_apart(y[i], std::exp(static_cast<double>(x[i]))));
    INFO(lrqat::kernel::name(isa));
    CHECK(worst <= 2.0);
  }
}

TEST_CASE("bounded_exp: the bits of exp up to 88, and NaN stays NaN", "[kernel]") {
  using lrqat::kernel::bounded_exp;
  for (int i = -100000; i <= 88000; i += 7) {
    const float x = static_cast<float>(i) * 1e-3f;
    CHECK(bounded_exp(x) == lrqat::kernel::exp(x));
  }
  CHECK(bounded_exp(-std::numeric_limits<float>::infinity()) == 0.0f);
  for (const std::uint32_t bits : {0x7FC00000u, 0xFFC00000u, 0x7FC001FFu, 0x7FFFFFFFu})
    CHECK(std::isnan(bounded_exp(std::bit_cast<float>(bits))));
  CHECK(bounded_exp(-0.5) == lrqat::kernel::exp(-0.5));
}

TEST_CASE("exp: infinities, NaN, overflow, vanishing results and zero", "[kernel]") {
  const EveryIsa restore;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
  constexpr float largest = std::numeric_limits<float>::max();
  // Eighteen values: one vector block and a rest.
  const std::vector<float> x{-infinity, infinity, not_a_number, 0.0f,    -0.0f,    88.73f,
                             1e6f,      largest,  -87.34f,      -1e6f,   -largest, 88.7f,
                             -87.3f,    1e-30f,   -1e-30f,      -104.0f, infinity, not_a_number};
  for (const auto isa : lrqat::kernel::all_isas) {
    if (!lrqat::kernel::machine_has(isa)) continue;
    lrqat::kernel::set_active_isa(isa);
    const std::vector<float> y = exp_of(x);
    INFO(lrqat::kernel::name(isa));
    for (const std::size_t zero : {8u, 9u, 10u, 15u, 0u}) CHECK(y[zero] == 0.0f);
    for (const std::size_t infinite : {1u, 5u, 6u, 7u, 16u}) CHECK(y[infinite] == infinity);
    for (const std::size_t nan : {2u, 17u}) CHECK(std::isnan(y[nan]));
    for (const std::size_t one : {3u, 4u, 13u, 14u}) CHECK(y[one] == 1.0f);
    CHECK(std::isfinite(y[11]));
    CHECK(y[12] >= std::numeric_limits<float>::min());
  }
}

TEST_CASE("exp: double is within 2 units too", "[kernel]") {
  const EveryIsa restore;
  std::vector<double> x, y;
  for (int i = -70839; i <= 70978; ++i) x.push_back(static_cast<double>(i) * 1e-2);
  for (int i = -20000; i <= 20000; ++i) x.push_back(static_cast<double>(i) * 1e-5);
  y.resize(x.size());
  for (const auto isa : lrqat::kernel::all_isas) {
    if (!lrqat::kernel::machine_has(isa)) continue;
    lrqat::kernel::set_active_isa(isa);
    const double* const from = x.data();
    double* const to = y.data();
    const std::size_t count = x.size();
    lrqat::kernel::vectorised([=] {
      lrqat::kernel::for_each_lane(count,
                                   [=](std::size_t i) { to[i] = lrqat::kernel::exp(from[i]); });
    });
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const long double exact = std::exp(static_cast<long double>(x[i]));
      const double nearest = static_cast<double>(exact);
      const double unit = std::nextafter(nearest, 1e308) - nearest;
      worst = std::max(worst, static_cast<double>(std::abs(static_cast<long double>(y[i]) - exact) /
                                                  static_cast<long double>(unit)));
    }
    INFO(lrqat::kernel::name(isa));
    CHECK(worst <= 2.0);
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(lrqat::kernel::exp(infinity) == infinity);
  CHECK(lrqat::kernel::exp(710.0) == infinity);
  CHECK(lrqat::kernel::exp(-infinity) == 0.0);
  CHECK(lrqat::kernel::exp(-709.0) == 0.0);
  CHECK(lrqat::kernel::exp(0.0) == 1.0);
  CHECK(std::isnan(lrqat::kernel::exp(std::numeric_limits<double>::quiet_NaN())));
}
