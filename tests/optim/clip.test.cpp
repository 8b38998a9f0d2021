// SPDX-License-Identifier: MIT
// tests/optim/clip.test.cpp
#include <lrqat/optim/clip.hpp>

#include <lrqat/core/rng.hpp>

#include <catch2/catch.hpp>

#include <limits>
#include <vector>

namespace {

struct Gradients {
  std::vector<float> a, b;
  lrqat::Parameters<float> parameters() {
    return {{"a", lrqat::Role::weight, a, a}, {"b", lrqat::Role::scale, b, b}};
  }
};

}  // namespace

TEST_CASE("clip_gradients: scales by max / (norm + 1e-6) and returns the norm before", "[optim]") {
  Gradients g{{3, 0}, {0, 0, 4}};
  CHECK(lrqat::clip_gradients(g.parameters(), 1.0) == 5.0);
  const float factor = static_cast<float>(1.0 / (5.0 + 1e-6));
  CHECK(g.a[0] == 3 * factor);
  CHECK(g.b[2] == 4 * factor);
  CHECK(g.b[0] == 0);
}

TEST_CASE("clip_gradients: leaves small gradients alone", "[optim]") {
  Gradients g{{3, 0}, {0, 0, 4}};
  const Gradients before = g;
  CHECK(lrqat::clip_gradients(g.parameters(), 5.1) == 5.0);
  CHECK(g.a == before.a);
  CHECK(g.b == before.b);
  CHECK(lrqat::clip_gradients(g.parameters(), std::numeric_limits<double>::infinity()) == 5.0);
  CHECK(g.b == before.b);
  Gradients zero{{0, 0}, {0}};
  CHECK(lrqat::clip_gradients(zero.parameters(), 1.0) == 0.0);
}

TEST_CASE("gradient_norm: equals a long double sum, at any length", "[optim]") {
  for (std::size_t n : {0u, 1u, 7u, 8u, 9u, 1009u}) {
    const lrqat::CounterRng rng(3, n);
    Gradients g;
    long double squares = 0;
    for (std::size_t i = 0; i < n; ++i) g.a.push_back(rng.normal(i));
    for (std::size_t i = 0; i < n / 2; ++i) g.b.push_back(1e3f * rng.normal(n + i));
    for (float x : g.a) squares += static_cast<long double>(x) * x;
    for (float x : g.b) squares += static_cast<long double>(x) * x;
    // n + 8 roundings of 2^-53 each, halved by the root.
    const double bound = 0x1p-53 * static_cast<double>(n + 10);
    CHECK(lrqat::gradient_norm(g.parameters()) ==
          Approx(static_cast<double>(std::sqrt(squares))).epsilon(bound).margin(0));
  }
}

TEST_CASE("gradient_norm: huge gradients do not overflow", "[optim]") {
  Gradients g{{3e38f}, {3e38f}};
  CHECK(lrqat::gradient_norm(g.parameters()) ==
        Approx(std::sqrt(2.0) * static_cast<double>(3e38f)));
}

TEST_CASE("clip_gradients: what is not finite is named", "[optim]") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  Gradients g{{1, 2}, {0, -inf, nan}};
  CHECK_THROWS_WITH(lrqat::clip_gradients(g.parameters(), 1.0),
                    Catch::Contains("'b'") && Catch::Contains("element 1 of 3 is -inf"));
  g.a[0] = nan;
  CHECK_THROWS_WITH(lrqat::clip_gradients(g.parameters(), 1.0),
                    Catch::Contains("'a'") && Catch::Contains("element 0 of 2"));
  CHECK(g.a[1] == 2);
  CHECK_THROWS_AS(lrqat::clip_gradients(g.parameters(), 0.0), lrqat::Error);
}
