// SPDX-License-Identifier: MIT
// nn/rope_scaling.test.cpp: divided rotary frequencies, against published models and formulas.
#include <lrqat/nn/rope_scaling.hpp>

#include <lrqat/nn/rope.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

using namespace lrqat;
using Catch::Contains;
using lrqat::test::Tensor;

namespace {

/// The frequency of pair i after scaling.
double scaled(const RopeScaling& scaling, std::size_t i, std::size_t head_dim, double theta) {
  return rope_frequency(i, head_dim, theta) /
         static_cast<double>(rope_divisors(scaling, head_dim, theta).at(i));
}

/// transformers' _compute_llama3_parameters, line by line, for one frequency.
double llama3_by_definition(const Llama3RopeScaling& s, double inv_freq) {
  const double pi = std::acos(-1.0);
  const double old_context_len = double(s.original_context), factor = double(s.factor);
  const double low_freq_factor = double(s.low_freq_factor),
               high_freq_factor = double(s.high_freq_factor);
  const double low_freq_wavelen = old_context_len / low_freq_factor;
  const double high_freq_wavelen = old_context_len / high_freq_factor;
  const double wavelen = 2 * pi / inv_freq;
  double inv_freq_llama = wavelen > low_freq_wavelen ? inv_freq / factor : inv_freq;
  const double smooth_factor =
      (old_context_len / wavelen - low_freq_factor) / (high_freq_factor - low_freq_factor);
  const double smoothed_inv_freq =
      (1 - smooth_factor) * inv_freq_llama / factor + smooth_factor * inv_freq_llama;
  const bool is_medium_freq = !(wavelen < high_freq_wavelen) && !(wavelen > low_freq_wavelen);
  if (is_medium_freq) inv_freq_llama = smoothed_inv_freq;
  return inv_freq_llama;
}

/// Divisors are rounded to float32, and two divisions in double follow.
constexpr double relative = 0x1p-24 + 4 * 0x1p-53;

std::string error_of_scaling(const RopeScaling& scaling, std::size_t head_dim = 8) {
  try {
    check_rope_scaling(scaling, head_dim, "model");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();
constexpr float infinite = std::numeric_limits<float>::infinity();

}  // namespace

TEST_CASE("RopeScaling: the frequencies of Llama 3.1 8B and Llama 3.2 1B", "[nn]") {
  // theta 500000, original context 8192, blended between 1 and 4 turns; computed in Python.
  const Llama3RopeScaling of_8b{.factor = 8.0f}, of_1b{.factor = 32.0f};
  const std::vector<std::pair<std::size_t, double>> wanted_8b{{0, 1.0},
                                                              {28, 0.0032114459947525913},
                                                              {29, 0.002166570763503359},
                                                              {30, 0.0013718935677611381},
                                                              {31, 0.0008567514129196321},
                                                              {32, 0.0005248461609929547},
                                                              {33, 0.00031269375038406517},
                                                              {34, 0.00017850781276799638},
                                                              {35, 9.556212353964683e-05},
                                                              {63, 3.068925988914511e-07}};
  for (const auto& [pair, frequency] : wanted_8b)
    CHECK(std::abs(scaled(of_8b, pair, 128, 5e5) / frequency - 1) <= relative);
  const std::vector<std::pair<std::size_t, double>> wanted_1b{{0, 1.0},
                                                              {14, 0.0032114459947525913},
                                                              {15, 0.001290547928209264},
                                                              {16, 0.00042955679655936815},
                                                              {17, 9.70828780262767e-05},
                                                              {18, 1.9461638184831125e-05},
                                                              {31, 9.418306725434909e-08}};
  for (const auto& [pair, frequency] : wanted_1b)
    CHECK(std::abs(scaled(of_1b, pair, 64, 5e5) / frequency - 1) <= relative);
}

TEST_CASE("RopeScaling: llama3 follows its definition where every pair is blended, or none",
          "[nn]") {
  for (const float factor : {1.0f, 1.1f, 8.0f, 1e30f})
    for (const auto& [low, high] : {std::pair(1.0f, 4.0f), std::pair(1e-6f, 1e6f),
                                    std::pair(3.0f, 3.0000002f), std::pair(1e-40f, 2e-40f)})
      for (const std::size_t context : {1u, 37u, 8192u})
        for (const std::size_t head_dim : {2u, 6u, 64u}) {
          const Llama3RopeScaling scaling{factor, low, high, context};
          for (std::size_t i = 0; i < head_dim / 2; ++i) {
            const double wanted = llama3_by_definition(scaling, rope_frequency(i, head_dim, 1e4));
            CAPTURE(factor, low, high, context, head_dim, i);
            CHECK(std::abs(scaled(scaling, i, head_dim, 1e4) / wanted - 1) <= relative);
          }
        }
}

TEST_CASE("RopeScaling: none and a factor of 1 divide by 1, a linear one by its factor", "[nn]") {
  const AlignedVector<float> ones(3, 1.0f);
  CHECK(rope_divisors({}, 6, 1e4) == ones);
  CHECK(rope_divisors(LinearRopeScaling{1.0f}, 6, 1e4) == ones);
  CHECK(rope_divisors(Llama3RopeScaling{.factor = 1.0f, .original_context = 16}, 6, 1e4) == ones);
  CHECK(rope_divisors(LinearRopeScaling{2.5f}, 6, 1e4) == AlignedVector<float>(3, 2.5f));
  const RopeDivisors own{{1.0f, 0.5f, 1e30f}};
  CHECK(rope_divisors(own, 6, 1e4) == own.values);
  CHECK_FALSE(is_scaled({}));
  CHECK(is_scaled(LinearRopeScaling{1.0f}));
}

TEST_CASE("Rope: position p of a linear scaling by f is position p / f unscaled", "[nn]") {
  constexpr std::size_t head_dim = 6;
  for (const std::size_t factor : {2u, 3u, 7u}) {
    Rope<double> scaled_rope(head_dim, 1e4, LinearRopeScaling{float(factor)});
    Rope<double> plain(head_dim, 1e4);
    scaled_rope.prepare(5 * factor + 1);
    plain.prepare(6);
    for (std::size_t position = 0; position <= 5; ++position) {
      Tensor<double> a(1, head_dim, 1, 1.0), b = a;
      scaled_rope.forward(a.view(), 1, position * factor);
      plain.forward(b.view(), 1, position);
      // Angles up to 5 that differ by their roundings, then numbers up to 4.
      for (std::size_t i = 0; i < head_dim; ++i)
        CHECK(std::abs(a.values[i] - b.values[i]) <= 4 * (4 * 5 + 4) * 0x1p-53);
    }
  }
}

TEST_CASE("Rope: a scaling and its divisors turn to the same bits, in rows and in columns",
          "[nn]") {
  constexpr std::size_t head_dim = 34, count = 64;
  const RopeScaling scaling = Llama3RopeScaling{.factor = 8.0f, .original_context = 64};
  const RopeDivisors divisors{rope_divisors(scaling, head_dim, 1e4)};
  CHECK(divisors.values.front() == 1.0f);
  CHECK(divisors.values.back() == 8.0f);
  Rope<float> by_scaling(head_dim, 1e4, scaling), by_divisors(head_dim, 1e4, divisors),
      plain(head_dim, 1e4);
  for (Rope<float>* rope : {&by_scaling, &by_divisors, &plain}) rope->prepare(192);
  Tensor<float> a(count, head_dim, 1, 1.0), columns(head_dim, count);
  Tensor<float> b = a, unscaled = a;
  for (std::size_t r = 0; r < count; ++r)
    for (std::size_t d = 0; d < head_dim; ++d) columns.view()(d, r) = a.view()(r, d);
  by_scaling.forward(a.view(), count, 128);
  by_divisors.forward(b.view(), count, 128);
  plain.forward(unscaled.view(), count, 128);
  by_divisors.forward_columns(columns.view(), 128);
  CHECK(a.values == b.values);
  CHECK(a.values != unscaled.values);
  bool same = true;
  for (std::size_t r = 0; r < count; ++r)
    for (std::size_t d = 0; d < head_dim; ++d)
      same = same && columns.view()(d, r) == a.view()(r, d);
  CHECK(same);
  by_scaling.backward(a.view(), count, 128);  // back to where it was, but for roundings
  const Tensor<float> before(count, head_dim, 1, 1.0);
  for (std::size_t i = 0; i < a.values.size(); ++i)
    CHECK(std::abs(a.values[i] - before.values[i]) <= 8 * 4 * 0x1p-24f);
}

TEST_CASE("RopeScaling: numbers out of range are errors that name them", "[nn]") {
  CHECK(error_of_scaling({}).empty());
  CHECK(error_of_scaling(LinearRopeScaling{1.0f}).empty());
  CHECK(error_of_scaling(Llama3RopeScaling{}).empty());
  CHECK(error_of_scaling(RopeDivisors{{1, 2, 3, 0.5f}}).empty());
  for (const float factor : {0.0f, 0.999f, -8.0f, nan_value, infinite}) {
    CHECK_THAT(error_of_scaling(LinearRopeScaling{factor}),
               Contains("model: the factor of its rotary scaling is ") && Contains("at least 1"));
    CHECK_THAT(error_of_scaling(Llama3RopeScaling{.factor = factor}), Contains("at least 1"));
  }
  for (const auto& [low, high] :
       {std::pair(4.0f, 1.0f), std::pair(1.0f, 1.0f), std::pair(0.0f, 4.0f), std::pair(-1.0f, 4.0f),
        std::pair(nan_value, 4.0f), std::pair(1.0f, nan_value), std::pair(1.0f, infinite)})
    CHECK_THAT(
        error_of_scaling(Llama3RopeScaling{.low_freq_factor = low, .high_freq_factor = high}),
        Contains("low_freq_factor of its rotary scaling is ") && Contains("0 < low < high"));
  CHECK_THAT(error_of_scaling(Llama3RopeScaling{.original_context = 0}),
             Contains("original context of 0"));
  CHECK_THAT(error_of_scaling(RopeDivisors{{1, 2, 3}}),
             Contains("3 divisors, a head of 8 needs 4"));
  for (const float divisor : {0.0f, -1.0f, nan_value, infinite})
    CHECK_THAT(error_of_scaling(RopeDivisors{{1, 2, divisor, 4}}),
               Contains("divisor 2 of its rotary scaling is "));
  CHECK_THROWS_WITH(Rope<float>(8, 1e4, LinearRopeScaling{0.5f}), Contains("Rope: the factor"));
}
