// SPDX-License-Identifier: MIT
// tests/linear/nested_linear.test.cpp: one set of parameters at several bit widths.
#include <lrqat/linear/nested_linear.hpp>

#include <lrqat/linear/dense_product.hpp>
#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <algorithm>
#include <cmath>

namespace lrqat::test::nested_linear_cases {
namespace {

using Widths = BitWidths<8, 6, 4, 2>;
using LowRankLayer = method::NestedLrQat<Widths, 2, PerGroup<8>, Reference>;
using FullLayer = method::DoubleRounding<Widths, Reference>;
constexpr std::size_t out = 7, in = 21;
const Matrix x = random_matrix(5, in, 1.0f, 7), direction = random_matrix(5, out, 1.0f, 8);

template <class Layer>
Layer some_layer() {
  const std::vector<float> bias(out, 0.5f);
  Layer layer(random_matrix(out, in, 0.3f, 1).view(), QuantOptions{}, bias);
  randomize_adapter(layer, 4.0f, 3);
  return layer;
}
template <class Layer>
Matrix outputs_of(const Layer& layer) {
  Matrix y(x.rows, out);
  layer.forward(x.view(), y.view());
  return y;
}
template <class Layer>
Matrix weight_at(Layer& layer, int bits) {
  layer.set_bits(bits);
  return layer.visit([](const auto& set) { return weight_of(set); });
}

/// What is merged at the highest width and rounded to Bits is what trains at Bits.
template <int Bits, class Layer>
void check_width(Layer& layer) {
  layer.set_bits(Bits);
  CHECK(layer.bits() == Bits);
  const auto highest = layer.merge();  // at whatever width
  STATIC_REQUIRE(std::is_same_v<typename decltype(highest)::grid, const Int<8>> ||
                 std::is_same_v<typename decltype(highest)::grid, Int<8>>);
  const auto merged = at_bits<Bits>(highest);
  CHECK(bits_of(outputs_of(merged).values) == bits_of(outputs_of(layer).values));
  const Matrix low = weight_at(layer, Bits);
  CHECK(weight_of(merged).values == low.values);
  constexpr int step = 1 << (8 - Bits), top = (1 << (Bits - 1)) - 1;
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; ++j) {
      const double ratio = highest.code(i, j) / static_cast<double>(step);
      const int expected = std::min(static_cast<int>(std::nearbyint(ratio)), top);
      CHECK(merged.code(i, j) == expected);
      const double distance = std::fabs(expected - ratio);
      CHECK(distance <= (ratio > top + 0.5 ? 0.985 : 0.5));
    }
}

TEST_CASE("NestedLinear: every width is the rounded highest one, to the bit", "[linear]") {
  auto low_rank = some_layer<LowRankLayer>();
  auto full = some_layer<FullLayer>();
  check_width<8>(low_rank);
  check_width<6>(low_rank);
  check_width<4>(low_rank);
  check_width<2>(low_rank);
  check_width<4>(full);
  check_width<2>(full);
}

TEST_CASE("NestedLinear: switching moves no number and needs no float weight", "[linear]") {
  auto layer = some_layer<LowRankLayer>();
  CHECK(layer.bits() == 8);
  const auto handed_out = layer.parameters();
  const auto base_at = [&] {
    return layer.visit([](const auto& set) { return set.weight().base().data(); });
  };
  const std::byte* const base = base_at();
  const LayerBytes bytes = layer.bytes();
  const Matrix first = weight_at(layer, 8), four = weight_at(layer, 4);
  for (const int bits : {2, 6, 4, 4, 8, 2, 8}) {
    layer.set_bits(bits);
    CHECK(base_at() == base);
    const auto now = layer.parameters();
    for (std::size_t i = 0; i < now.size(); ++i) {
      CHECK(now[i].name == handed_out[i].name);
      CHECK(now[i].value.data() == handed_out[i].value.data());
      CHECK(now[i].gradient.data() == handed_out[i].gradient.data());
    }
    CHECK(layer.bytes().total() == bytes.total());
  }
  CHECK(bytes.base == out * in);  // one byte a weight, whatever the widths
  CHECK(weight_at(layer, 8).values == first.values);
  CHECK(weight_at(layer, 4).values == four.values);
  CHECK_THROWS_WITH(layer.set_bits(5), Catch::Contains("5 is none of the widths"));
  CHECK(layer.bits() == 4);
}

TEST_CASE("NestedLinear: a copy is another layer", "[linear]") {
  auto layer = some_layer<LowRankLayer>();
  const LowRankLayer copy = layer;
  layer.set_bits(2);
  layer.parameters()[0].value[0] += 100.0f;
  CHECK(copy.bits() == 8);
  CHECK(bits_of(outputs_of(copy).values) == bits_of(outputs_of(some_layer<LowRankLayer>()).values));
}

TEST_CASE("NestedLinear: gradients of all widths add up in one set", "[linear]") {
  auto together = some_layer<FullLayer>();
  std::vector<std::vector<double>> sums;
  Matrix grad_x(x.rows, in);
  for (const int bits : {8, 4, 2}) {
    auto alone = some_layer<FullLayer>();
    alone.set_bits(bits);
    together.set_bits(bits);
    alone.backward(x.view(), direction.view(), grad_x.view());
    together.backward(x.view(), direction.view(), grad_x.view());
    const auto parameters = alone.parameters();
    sums.resize(parameters.size());
    for (std::size_t p = 0; p < parameters.size(); ++p) {
      sums[p].resize(parameters[p].gradient.size());
      for (std::size_t i = 0; i < sums[p].size(); ++i)
        sums[p][i] += static_cast<double>(parameters[p].gradient[i]);
    }
  }
  const auto parameters = together.parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p)
    for (std::size_t i = 0; i < sums[p].size(); ++i)
      CHECK(static_cast<double>(parameters[p].gradient[i]) == Approx(sums[p][i]).margin(1e-4));
}

TEST_CASE("Double Rounding: dW and ds are straight through both roundings", "[linear]") {
  auto layer = some_layer<FullLayer>();
  Matrix grad_x(x.rows, in);
  const auto all = layer.parameters();  // "weight" and "scale"
  for (const int bits : {8, 4, 2}) {
    layer.set_bits(bits);
    layer.zero_gradients();
    layer.backward(x.view(), direction.view(), grad_x.view());
    const int shift = 8 - bits, step = 1 << shift, top = (1 << (bits - 1)) - 1;
    for (std::size_t i = 0; i < out; ++i) {
      double ds = 0, terms = 0;
      const float s = all[1].value[i];
      for (std::size_t j = 0; j < in; ++j) {
        double g = 0;
        for (std::size_t t = 0; t < x.rows; ++t)
          g += static_cast<double>(direction(t, i)) * static_cast<double>(x(t, j));
        const float u = all[0].value[i * in + j] / s;
        const double high = std::nearbyint(u), rounded = std::nearbyint(high / step);
        const bool passes = high >= -128 && high <= 127 && rounded <= top;
        CHECK(static_cast<double>(all[0].gradient[i * in + j]) ==
              Approx(passes ? g : 0.0).margin(1e-5));
        const double level = step * std::clamp(rounded, -top - 1.0, static_cast<double>(top));
        const double slope = level - (passes ? static_cast<double>(u) : 0.0);
        ds += g * slope;
        terms += std::fabs(g) * 256;
      }
      // Sums of 21 terms of 5 products, u and its difference to a level rounded: 32 half units
      // each.
      CHECK(std::fabs(static_cast<double>(all[1].gradient[i]) - ds) <= 32 * 0x1p-24 * terms);
    }
  }
}

TEST_CASE("Nested LR-QAT: one adapter learns for all widths at once", "[linear]") {
  auto layer = some_layer<LowRankLayer>();
  for (auto& each : layer.parameters())
    if (each.name == "A") std::fill(each.value.begin(), each.value.end(), 0.0f);
  const Matrix weight = random_matrix(out, in, 0.3f, 1);
  Matrix target(x.rows, out), grad_x(x.rows, in);
  dense_forward<float>(x.view(), weight.view(), target.view());
  for (std::size_t i = 0; i < target.values.size(); ++i) target.values[i] += 0.5f;
  const auto error_at = [&](int bits, Matrix& difference) {
    layer.set_bits(bits);
    difference = outputs_of(layer);
    double sum = 0;
    for (std::size_t i = 0; i < difference.values.size(); ++i) {
      difference.values[i] -= target.values[i];
      sum += static_cast<double>(difference.values[i] * difference.values[i]);
    }
    return sum;
  };
  Matrix difference(x.rows, out);
  const double four = error_at(4, difference), two = error_at(2, difference);
  double best_four = four, best_two = two;
  const auto parameters = layer.parameters();
  for (int step = 0; step < 300; ++step) {
    layer.zero_gradients();
    for (const int bits : {8, 4, 2}) {
      const double error = error_at(bits, difference);
      if (bits == 4) best_four = std::min(best_four, error);
      if (bits == 2) best_two = std::min(best_two, error);
      layer.backward(x.view(), difference.view(), grad_x.view());
    }
    for (const auto& each : parameters)
      for (std::size_t i = 0; i < each.value.size(); ++i)
        each.value[i] -= (each.role == Role::scale ? 1e-9f : 30.0f) * each.gradient[i];
  }
  CHECK(best_two < 0.5 * two);
  CHECK(best_four < four);
}

TEST_CASE("Nested: passes have the same bits on any number of threads", "[linear]") {
  const MachineSettings restored;
  QuantLinear<Nested<8, 4>, LowRank<2>, FixedPoint> layer(random_matrix(67, 301, 0.3f, 1).view());
  randomize_adapter(layer, 4.0f, 2);
  const Matrix inputs = random_matrix(5, 301, 1.0f, 7), gradient = random_matrix(5, 67, 1.0f, 8);
  set_thread_count(1);
  const Passes alone = run_passes(layer, inputs, gradient);
  for (const int threads : thread_counts({2, 5})) {
    set_thread_count(threads);
    CHECK(run_passes(layer, inputs, gradient) == alone);
  }
}

TEST_CASE("NestedLinear: stands where any layer stands", "[linear]") {
  auto layer = some_layer<FullLayer>();
  layer.set_bits(2);
  const AnyLinear any(layer);
  CHECK(bits_of(outputs_of(any).values) == bits_of(outputs_of(layer).values));
  CHECK(any.merge().merged_weight().bits == 8);
}

}  // namespace
}  // namespace lrqat::test::nested_linear_cases
