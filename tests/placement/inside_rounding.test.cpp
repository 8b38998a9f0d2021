// SPDX-License-Identifier: MIT
// tests/placement/inside_rounding.test.cpp: where the adapter enters, and how the scale follows.
#include <lrqat/placement/inside_rounding.hpp>

#include <lrqat/placement/parallel.hpp>
#include <lrqat/placement/weight_domain.hpp>

#include <catch2/catch.hpp>
#include <type_traits>

namespace lrqat {
namespace {

TEST_CASE("InsideRounding: the base is in grid units, the live scale only multiplies",
          "[placement]") {
  CHECK(InsideRounding::base(3.0f, 0.5f) == 6.0f);
  CHECK(InsideRounding::base(1.0f, 3.0f) == 1.0f / 3.0f);  // a division, not a reciprocal
  CHECK(InsideRounding::to_grid(2.5f, 0.1f) == 2.5f);
  CHECK(InsideRounding::z_gradient(2.0f, 1.0f, 0.25f) == 0.5f);
  CHECK(InsideRounding::z_gradient(2.0f, 0.0f, 0.25f) == 0.0f);
  STATIC_REQUIRE_FALSE(InsideRounding::needs_reals);
}

TEST_CASE("WeightDomain: the base is the weight, divided by the live scale", "[placement]") {
  CHECK(WeightDomain::base(3.0f, 0.5f) == 3.0f);
  CHECK(WeightDomain::to_grid(3.0f, 0.5f) == 6.0f);
  CHECK(WeightDomain::z_gradient(2.0f, 1.0f, 0.25f) == 2.0f);
  CHECK(WeightDomain::z_gradient(2.0f, 0.0f, 0.25f) == 0.0f);
  STATIC_REQUIRE(WeightDomain::needs_reals);
}

TEST_CASE("Parallel: the base is as inside the rounding, delta gets the weight's gradient",
          "[placement]") {
  CHECK(Parallel::base(3.0f, 0.5f) == 6.0f);
  CHECK(Parallel::to_grid(2.5f, 0.1f) == 2.5f);
  CHECK(Parallel::z_gradient(2.0f, 0.0f, 0.25f) == 2.0f);
  STATIC_REQUIRE(adds_after_rounding<Parallel>);
  STATIC_REQUIRE_FALSE(adds_after_rounding<InsideRounding>);
  STATIC_REQUIRE_FALSE(adds_after_rounding<WeightDomain>);
}

TEST_CASE("scale_coupling: follows from the placement", "[placement]") {
  STATIC_REQUIRE(std::is_same_v<scale_coupling<InsideRounding>::type, Decoupled>);
  STATIC_REQUIRE(std::is_same_v<scale_coupling<WeightDomain>::type, Coupled>);
  STATIC_REQUIRE(std::is_same_v<scale_coupling<Parallel>::type, Decoupled>);
  // dW_hat/ds: the level itself, or LSQ's level - u where the gradient passes.
  CHECK(Decoupled::slope(2.3f, 2.0f, 1.0f) == 2.0f);
  CHECK(Decoupled::slope(9.5f, 7.0f, 0.0f) == 7.0f);
  CHECK(Coupled::slope(2.25f, 2.0f, 1.0f) == -0.25f);
  CHECK(Coupled::slope(9.5f, 7.0f, 0.0f) == 7.0f);
}

}  // namespace
}  // namespace lrqat
