// SPDX-License-Identifier: MIT
// tests/kernel/vectorised.test.cpp: element-wise loops give the same bits on every instruction set.
#include <lrqat/kernel/vectorised.hpp>

#include <lrqat/core/numeric.hpp>
#include <lrqat/core/rng.hpp>

#include <catch2/catch.hpp>

#include <stdexcept>
#include <string>
#include <vector>

namespace {

using lrqat::kernel::Isa;

/// Scale, shift, round and clip `x`, as a quantizer does.
void quantize(const std::vector<float>& x, float scale, float shift, std::vector<float>& codes) {
  const float* const from = x.data();
  float* const to = codes.data();
  const std::size_t count = x.size();
  lrqat::kernel::vectorised([=] {
    lrqat::kernel::for_each_lane(count, [=](std::size_t i) {
      const float u = lrqat::fused_multiply_add(from[i], scale, shift);
      to[i] = lrqat::clamp(lrqat::round_half_even(u), -8.0f, 7.0f);
    });
  });
}

}  // namespace

TEST_CASE("for_each_lane: every index once, in ascending blocks", "[kernel]") {
  for (const std::size_t count : {0u, 1u, 15u, 16u, 17u, 31u, 32u, 33u, 101u}) {
    std::vector<int> calls(count);
    lrqat::kernel::for_each_lane(count, [&](std::size_t i) { ++calls[i]; });
    REQUIRE(calls == std::vector<int>(count, 1));
  }
}

TEST_CASE("vectorised: explicit fused arithmetic gives the same bits everywhere", "[kernel]") {
  const lrqat::CounterRng random(3, 0);
  const Isa before = lrqat::kernel::active_isa();
  for (const std::size_t count : {0u, 1u, 15u, 16u, 17u, 1009u}) {
    std::vector<float> x(count);
    for (std::size_t i = 0; i < count; ++i) x[i] = 3.0f * random.normal(i);
    std::vector<float> expected(count);
    for (std::size_t i = 0; i < count; ++i)
      expected[i] = lrqat::clamp(
          lrqat::round_half_even(lrqat::fused_multiply_add(x[i], 1.7f, 0.1f)), -8.0f, 7.0f);
    for (const Isa isa : lrqat::kernel::all_isas) {
      if (!lrqat::kernel::machine_has(isa)) continue;
      lrqat::kernel::set_active_isa(isa);
      std::vector<float> codes(count);
      quantize(x, 1.7f, 0.1f, codes);
      REQUIRE(codes == expected);
    }
    lrqat::kernel::set_active_isa(before);
  }
}

TEST_CASE("vectorised: an unfused product is rounded before the sum", "[kernel]") {
  const lrqat::CounterRng random(4, 0);
  const Isa before = lrqat::kernel::active_isa();
  std::vector<float> x(101), squares(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = random.normal(i);
    volatile float square = x[i] * x[i];
    squares[i] = square;
  }
  for (const Isa isa : lrqat::kernel::all_isas) {
    if (!lrqat::kernel::machine_has(isa)) continue;
    lrqat::kernel::set_active_isa(isa);
    std::vector<float> difference(x.size(), 1.0f);
    lrqat::kernel::vectorised([&] {
      lrqat::kernel::for_each_lane(x.size(), [from = x.data(), square = squares.data(),
                                              to = difference.data()](std::size_t i) {
        to[i] = lrqat::unfused_product(from[i], from[i]) - square[i];
      });
    });
    INFO("isa " << std::string(name(isa)));
    REQUIRE(difference == std::vector<float>(x.size()));  // fused: the rounding error of squares
  }
  lrqat::kernel::set_active_isa(before);
}

TEST_CASE("vectorised: calls once and lets exceptions through", "[kernel]") {
  const Isa before = lrqat::kernel::active_isa();
  for (const Isa isa : lrqat::kernel::all_isas) {
    if (!lrqat::kernel::machine_has(isa)) continue;
    lrqat::kernel::set_active_isa(isa);
    int calls = 0;
    lrqat::kernel::vectorised([&] { ++calls; });
    CHECK(calls == 1);
    CHECK_THROWS_AS(lrqat::kernel::vectorised([] { throw std::logic_error("no"); }),
                    std::logic_error);
  }
  lrqat::kernel::set_active_isa(before);
}
