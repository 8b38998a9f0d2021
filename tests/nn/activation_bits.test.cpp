// SPDX-License-Identifier: MIT
// nn/activation_bits.test.cpp: heads of activations quantized, against the formula in plain loops.
#include <lrqat/nn/activation_bits.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/machine.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

using namespace lrqat;
using lrqat::test::Tensor;

namespace {

struct Quantized {
  std::vector<float> values;
  std::vector<std::uint8_t> inside;
};

/// lr-qat, section 1.10, as it is written there.
Quantized by_formula(const Tensor<float>& x, std::size_t head_dim, const AnyInput& how) {
  Quantized result{x.values, std::vector<std::uint8_t>(x.values.size())};
  const float most = static_cast<float>((1 << how.bits) - 1);
  for (std::size_t first = 0; first < x.values.size(); first += head_dim) {
    const auto head = x.values.begin() + static_cast<std::ptrdiff_t>(first);
    const auto [low, high] = std::minmax_element(head, head + static_cast<std::ptrdiff_t>(head_dim));
    const float delta = std::max((*high - *low) / most, 1e-8f);
    float z = -*low / delta;
    if (how.zero_point == ZeroPointMode::integer)
      z = std::min(std::max(std::nearbyint(z), 0.0f), most);
    for (std::size_t i = first; i < first + head_dim; ++i) {
      const float code = std::nearbyint(x.values[i] / delta) + z;
      result.inside[i] = code >= 0 && code <= most;
      result.values[i] = delta * (std::min(std::max(code, 0.0f), most) - z);
    }
  }
  return result;
}

Quantized by_library(const Tensor<float>& x, std::size_t head_dim, const AnyInput& how) {
  Tensor<float> copy = x;
  std::vector<std::uint8_t> inside(x.values.size(), 7);
  quantize_heads<float>(how, head_dim, copy.view(), {inside.data(), x.rows, x.cols});
  return {copy.values, inside};
}

constexpr ZeroPointMode both[] = {ZeroPointMode::real, ZeroPointMode::integer};

}  // namespace

TEST_CASE("quantize_heads: the formula for each head of each token, on any machine", "[nn]") {
  const lrqat::test::MachineSettings settings;
  for (const auto isa : lrqat::test::isas_of_machine())
    for (const int threads : lrqat::test::thread_counts({1, 3})) {
      kernel::set_active_isa(isa);
      set_thread_count(threads);
      for (const std::size_t head_dim : {1u, 2u, 6u, 15u, 16u, 17u, 64u, 100u})
        for (const std::size_t tokens : {1u, 64u, 65u})
          for (const int bits : {2, 4, 8})
            for (const ZeroPointMode mode : both) {
              const Tensor<float> x(tokens, 3 * head_dim, head_dim + tokens, 2.0);
              const AnyInput how{bits, mode};
              const Quantized got = by_library(x, head_dim, how);
              const Quantized wanted = by_formula(x, head_dim, how);
              INFO(lrqat::test::isa_name(isa) << ", heads of " << head_dim << ", " << bits
                                              << " bits, " << tokens << " tokens");
              CHECK(got.values == wanted.values);
              CHECK(got.inside == wanted.inside);
            }
    }
}

TEST_CASE("quantize_columns: the bits of quantize_heads", "[nn]") {
  const lrqat::test::MachineSettings settings;
  for (const auto isa : lrqat::test::isas_of_machine()) {
    kernel::set_active_isa(isa);
    for (const std::size_t head_dim : {1u, 2u, 17u, 64u})
      for (const std::size_t tokens : {1u, 15u, 64u})
        for (const int bits : {4, 8})
          for (const ZeroPointMode mode : both) {
            const AnyInput how{bits, mode};
            Tensor<float> rows(tokens, head_dim, 5, 1.0), columns(head_dim, tokens);
            for (std::size_t r = 0; r < tokens; ++r)
              for (std::size_t d = 0; d < head_dim; ++d) columns.view()(d, r) = rows.view()(r, d);
            quantize_heads(how, head_dim, rows.view(), {});
            quantize_columns(how, columns.view());
            bool same = true;
            for (std::size_t r = 0; r < tokens; ++r)
              for (std::size_t d = 0; d < head_dim; ++d)
                same = same && columns.view()(d, r) == rows.view()(r, d);
            CHECK(same);
          }
  }
  Tensor<float> wide(2, 65);
  CHECK_THROWS_WITH(quantize_columns<float>({8}, wide.view()), Catch::Contains("65 tokens"));
}

TEST_CASE("quantize_heads: finer codes converge to the numbers themselves", "[nn]") {
  const Tensor<double> x(1, 40, 3, 1.0);
  double before = std::numeric_limits<double>::infinity();
  for (const double code_max : {255.0, 65535.0, 0x1p26 - 1}) {
    const auto token = observe_token<RealZeroPoint>(std::span(x.values), code_max);
    double worst = 0;
    for (const double value : x.values) {
      const double step = token.steps(value);
      worst = std::max(worst, std::abs(token.value(step, code_max) - value));
    }
    CHECK(worst <= token.scale);
    CHECK(worst < before / 100);
    before = worst;
  }
  CHECK(before < 1e-7);
}

TEST_CASE("quantize_heads: ends that are clipped let no gradient pass", "[nn]") {
  // Zero point 1.5 in the middle between two integers: both ends are clipped, and the highest of
  // the 17 values has no code.
  Tensor<float> x(1, 4), grad(1, 4, 1.0f);
  x.values = {-1.5f, 13.5f, 0.0f, 13.4f};
  const Quantized got = by_library(x, 4, {4, ZeroPointMode::real});
  CHECK(got.values == std::vector<float>{-1.5f, 13.0f, 0.0f, 13.0f});
  CHECK(got.inside == std::vector<std::uint8_t>{0, 0, 1, 1});
  mask_gradient<float>({got.inside.data(), 1, 4}, grad.view());
  CHECK(grad.values == std::vector<float>{0, 0, 1, 1});
  // An integer zero point that saturates: everything is clipped.
  x.values = {100.0f, 101.0f, 115.0f, 103.0f};
  CHECK(by_library(x, 4, {4, ZeroPointMode::integer}).inside == std::vector<std::uint8_t>(4, 0));
  CHECK(by_library(x, 4, {4, ZeroPointMode::real}).values == x.values);
}

TEST_CASE("quantize_heads: constant heads and heads of one number", "[nn]") {
  for (const float value : {0.0f, 1.0f, -3.0f, 1e-20f, 1e20f}) {
    Tensor<float> x(2, 6, value);
    for (const std::size_t head_dim : {1u, 3u})
      for (const int bits : {4, 8}) {
        INFO(value << ", heads of " << head_dim);
        // The scale is 1e-8 and the zero point -value / 1e-8 within a rounding of two quotients.
        for (const float got : by_library(x, head_dim, {bits, ZeroPointMode::real}).values)
          CHECK(std::abs(got - value) <= 2e-8f + std::abs(value) * 0x1p-22f);
        for (const float got : by_library(x, head_dim, {bits, ZeroPointMode::integer}).values)
          CHECK(std::isfinite(got));
      }
  }
}

TEST_CASE("quantize_heads: what is no number stays none, and its neighbours do not change", "[nn]") {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()})
    for (const ZeroPointMode mode : both) {
      Tensor<float> x(3, 8, 1, 1.0);
      const Quantized before = by_library(x, 4, {8, mode});
      x.values[8 + 6] = bad;
      const Quantized got = by_library(x, 4, {8, mode});
      CHECK_FALSE(std::isfinite(got.values[8 + 6]));
      CHECK(got.inside[8 + 6] == 0);
      for (std::size_t i = 0; i < 24; ++i)
        if (i < 12 || i >= 16) CHECK(got.values[i] == before.values[i]);
    }
}

TEST_CASE("quantize_heads: 0 bits change nothing; other widths are errors", "[nn]") {
  Tensor<float> x(2, 8, 1, 1.0);
  const Tensor<float> before = x;
  quantize_heads<float>({}, 4, x.view(), {});
  CHECK(x.values == before.values);
  CHECK_NOTHROW(ActivationBits{{4}, {8}}.check());
  CHECK_THROWS_WITH((ActivationBits{{1}, {8}}.check()), Catch::Contains("keys and values of 1"));
  CHECK_THROWS_WITH((ActivationBits{{4}, {16}}.check()), Catch::Contains("rotary embedding of 16"));
  const std::vector<std::uint8_t> mask(8);
  CHECK_THROWS_WITH(mask_gradient<float>({mask.data(), 1, 8}, x.view()),
                    Catch::Contains("a mask of (1, 8)"));
}
