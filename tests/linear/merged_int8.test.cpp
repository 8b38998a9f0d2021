// SPDX-License-Identifier: MIT
// tests/linear/merged_int8.test.cpp: merged layers with products of codes.
#include <lrqat/linear/merged_linear.hpp>

#include <lrqat/lrqat.hpp>

#include <support/byte_tiles.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

namespace lrqat::test::merged_int8_cases {
namespace {

using Catch::Matchers::Contains;
using Bytes = Input<UInt<8>, PerToken, IntegerZeroPoint>;

/// Random codes, the extreme ones among them, random scales and, where the grid has them, zero
/// points; a bias.
template <class G, class In = Bytes>
MergedLinear<G, In> random_layer(std::size_t out, std::size_t in, const ScaleLayout& layout) {
  const CounterRng random(out * 1000 + in, static_cast<std::uint64_t>(G::bits));
  std::vector<float> scales(layout.size()), zeros(G::has_zero_point ? layout.size() : 0), bias(out);
  for (std::size_t i = 0; i < scales.size(); ++i) scales[i] = 0.01f + random.uniform(i);
  for (std::size_t i = 0; i < zeros.size(); ++i)
    zeros[i] = static_cast<float>(random.below(1u << G::bits, 7 * i));
  for (std::size_t i = 0; i < out; ++i) bias[i] = random.normal(i);
  MergedLinear<G, In> layer({out, in}, layout, scales, zeros, bias);
  for (std::size_t i = 0; i < out * in; ++i)
    layer.set_code(i / in, i % in,
                   G::code_min + static_cast<int>(random.below(1u << G::bits, 3 * i)));
  for (std::size_t j = 0; j < in; ++j) layer.set_code(0, j, G::code_min);
  if (out > 1)
    for (std::size_t j = 0; j < in; ++j) layer.set_code(1, j, G::code_max);
  return layer;
}

/// Tokens of different ranges; one whose codes are all 255 or 0, one that is constant.
Matrix tokens_of(std::size_t count, std::size_t in) {
  Matrix x = random_matrix(count, in, 1.0f, count + in);
  for (std::size_t t = 0; t < count; ++t)
    for (std::size_t j = 0; j < in; ++j) {
      if (t % 5 == 1) x(t, j) = x(t, j) * 0.1f + 3.0f;
      if (t % 5 == 2) x(t, j) = j % 2 == 0 ? 255.0f : 0.0f;
      if (t % 5 == 3) x(t, j) = -2.0f;
    }
  return x;
}

/// The formula of CpuInt8, in plain loops.
template <class Layer>
Matrix formula(const Layer& layer, const Matrix& x) {
  using G = typename Layer::grid;
  const ScaleLayout& layout = layer.layout();
  Matrix y(x.rows, layer.out_features());
  std::vector<std::uint8_t> codes(x.cols);
  for (std::size_t t = 0; t < x.rows; ++t) {
    const auto token = Bytes::quantize(x.view().row(t), codes);
    for (std::size_t i = 0; i < y.cols; ++i) {
      float sum = 0.0f;
      for (std::size_t first = 0; first < x.cols; first += layout.group_columns) {
        const std::size_t cell = layout.index(i, first);
        const int zero = G::has_zero_point ? static_cast<int>(layer.zero_points()[cell]) : 0;
        std::int64_t whole = 0;
        for (std::size_t j = first; j < std::min(x.cols, first + layout.group_columns); ++j)
          whole += (codes[j] - static_cast<int>(token.zero_point)) * (layer.code(i, j) - zero);
        REQUIRE(std::abs(whole) <= std::numeric_limits<std::int32_t>::max());
        sum = fused_multiply_add(layer.scales()[cell], static_cast<float>(whole), sum);
      }
      y(t, i) = token.scale * sum + (layer.bias().empty() ? 0.0f : layer.bias()[i]);
    }
  }
  return y;
}

template <class G>
void check_layer(std::size_t out, std::size_t in, const ScaleLayout& layout,
                 std::initializer_list<std::size_t> token_counts) {
  const auto simulated = random_layer<G>(out, in, layout);
  const auto layer = simulated.template in<Compute<int8>>();
  for (const std::size_t count : token_counts) {
    INFO("bits " << G::bits << " out " << out << " in " << in << " groups of "
                 << layout.group_columns << " tokens " << count);
    const Matrix x = tokens_of(count, in);
    Matrix y(count, out, -7.0f), other(count, out, -7.0f);
    layer.forward(x.view(), y.view());
    CHECK(bits_of(y.values) == bits_of(formula(layer, x).values));

    // Against fake quantization in float32: both are sums of the same products, rounded at most
    // in + groups + 4 times by 2^-24 of their sizes, and the bias once.
    simulated.forward(x.view(), other.view());
    const Matrix weight = weight_of(simulated);
    std::vector<float> x_hat(in);
    const double roundings = static_cast<double>(in + layout.scales.cols + 5) * 1.01;
    int far = 0;
    for (std::size_t t = 0; t < count; ++t) {
      Bytes::forward(x.view().row(t), x_hat);
      for (std::size_t i = 0; i < out; ++i) {
        double size = std::fabs(static_cast<double>(layer.bias()[i]));
        for (std::size_t j = 0; j < in; ++j)
          size += std::fabs(static_cast<double>(x_hat[j]) * static_cast<double>(weight(i, j)));
        far += !(std::fabs(static_cast<double>(y(t, i)) - static_cast<double>(other(t, i))) <=
                 roundings * 0x1p-24 * size);
      }
    }
    CHECK(far == 0);
  }
}

template <class G>
void check_grid() {
  const auto per_channel = [](std::size_t out, std::size_t in) {
    return PerChannel::layout({out, in}, {});
  };
  const auto groups = [](std::size_t out, std::size_t in, std::size_t group) {
    return ScaleLayout{{out, (in + group - 1) / group}, group};
  };
  check_layer<G>(37, 71, per_channel(37, 71), {1, 2, 3, 4, 5, 8, 9, 12, 13, 33});
  check_layer<G>(1, 1, per_channel(1, 1), {1, 3});
  check_layer<G>(131, 64, groups(131, 64, 32), {1, 7, 25});
  check_layer<G>(16, 131, groups(16, 131, 32), {1, 4});
  check_layer<G>(33, 45, groups(33, 45, 7), {2, 14});  // groups that share blocks
  check_layer<G>(19, 40, ScaleLayout{{1, 1}, 40}, {3});
}

void check_all_grids() {
  check_grid<Int<2>>();
  check_grid<Int<3>>();
  check_grid<Int<4>>();
  check_grid<UInt<4>>();
  check_grid<UInt<7>>();
  check_grid<Int<8>>();
  check_grid<UInt<8>>();
}

TEST_CASE("Compute<int8>: the formula's bits on every instruction set and thread count",
          "[linear]") {
  const MachineSettings restored;
  for (const kernel::Isa isa : isas_of_machine())
    for (const int threads : thread_counts({1, 3})) {
      if (threads > 1 && isa != kernel::widest_isa()) continue;
      kernel::set_active_isa(isa);
      set_thread_count(threads);
      INFO("isa " << isa_name(isa) << " threads " << threads);
      check_all_grids();
    }
}

TEST_CASE("Compute<int8>: more tokens than a block of activations holds", "[linear]") {
  const auto layer = random_layer<Int<4>>(20, 8192, ScaleLayout{{20, 64}, 128});
  const auto in_integers = layer.in<Compute<int8>>();
  const Matrix x = tokens_of(70, 8192);
  Matrix y(70, 20);
  in_integers.forward(x.view(), y.view());
  CHECK(bits_of(y.values) == bits_of(formula(in_integers, x).values));
}

/// A tile unit in software.
struct ModelledUnit {
  static kernel::Int8Order order() { return kernel::tiled_order; }
  template <unsigned bits, bool has_zero>
  static kernel::Int8Function tile(kernel::Int8Shape shape) {
    using Kernel = kernel::TiledInt8Kernel<ByteTiles, PlainOperands>;
    if (shape.tokens >= kernel::tiled_order.fraction)
      return kernel::tiled_int8_tile<bits, has_zero, Kernel>(shape);
    return kernel::int8_tile<bits, has_zero, kernel::Int8Unit::portable>(shape);
  }
};

template <class G>
void check_tile_unit(std::size_t out, std::size_t in, std::size_t group,
                     std::initializer_list<std::size_t> token_counts) {
  const ScaleLayout layout{{out, (in + group - 1) / group}, group};
  const auto layer = random_layer<G>(out, in, layout).template in<Compute<int8>>();
  for (const std::size_t count : token_counts) {
    INFO("bits " << G::bits << " out " << out << " in " << in << " groups of " << group
                 << " tokens " << count);
    const Matrix x = tokens_of(count, in);
    Matrix y(count, out, -7.0f), expected(count, out, -7.0f);
    detail::Int8Products<ModelledUnit>::forward_codes<Bytes>(layer, x.view(), y.view());
    CpuInt8::forward_codes<Bytes>(layer, x.view(), expected.view());
    CHECK(bits_of(y.values) == bits_of(expected.values));
  }
}

TEST_CASE("Compute<int8>: a tile unit gives the same bits", "[linear]") {
  check_tile_unit<Int<4>>(37, 71, 71, {0, 1, 3, 8, 9, 15, 16, 17, 31, 32, 33, 48, 49, 65});
  check_tile_unit<UInt<4>>(131, 100, 32, {16, 40});
  check_tile_unit<Int<3>>(33, 45, 7, {12, 34});  // groups that share blocks
  check_tile_unit<Int<2>>(1, 1, 1, {9});
  check_tile_unit<UInt<8>>(48, 300, 128, {47});
  check_tile_unit<Int<7>>(20, 130, 130, {21});
  check_tile_unit<Int<4>>(20, 8192, 128, {140, 300});  // blocks of tokens
}

TEST_CASE("Compute<int8>: no tokens", "[linear]") {
  const auto layer = random_layer<Int<4>>(3, 5, PerChannel::layout({3, 5}, {})).in<Compute<int8>>();
  CHECK_NOTHROW(layer.forward({nullptr, 0, 5}, {nullptr, 0, 3}));
}

TEST_CASE("Compute<int8>: a token that is not finite is NaN as in float32, its neighbours are not",
          "[linear]") {
  const auto simulated = random_layer<Int<4>>(18, 40, PerChannel::layout({18, 40}, {}));
  const auto layer = simulated.in<Compute<int8>>();
  constexpr float inf = std::numeric_limits<float>::infinity();
  Matrix x = random_matrix(8, 40, 1.0f, 3), y(8, 18), expected(8, 18);
  x(0, 0) = std::nanf("");
  x(1, 39) = std::nanf("");
  x(2, 17) = inf;
  x(3, 0) = -inf;
  x(4, 1) = 3e38f;
  x(4, 2) = -3e38f;  // a range that overflows
  for (std::size_t j = 0; j < 40; ++j) x(6, j) = 0.0f;
  layer.forward(x.view(), y.view());
  simulated.forward(x.view(), expected.view());
  for (std::size_t t = 0; t < 8; ++t)
    for (std::size_t i = 0; i < 18; ++i) {
      INFO("token " << t << " output " << i);
      CHECK(std::isnan(y(t, i)) == (t < 5));
      CHECK(std::isnan(expected(t, i)) == (t < 5));
      if (t == 6) CHECK(y(t, i) == layer.bias()[i]);
    }
}

TEST_CASE("Compute<int8>: the largest sums that fit, and one more input", "[linear]") {
  // 255 * 128 * 65793 is the last below 2^31.
  const std::size_t in = 65793;
  const std::vector<float> one(1, 1.0f), none;
  const auto make = [&](std::size_t inputs) {
    MergedLinear<Int<8>, Bytes> layer({1, inputs}, PerChannel::layout({1, inputs}, {}), one, none,
                                      none);
    for (std::size_t j = 0; j < inputs; ++j) layer.set_code(0, j, -128);
    return layer;
  };
  const auto layer = make(in).in<Compute<int8>>();
  Matrix x(1, in, 255.0f), y(1, 1);
  x(0, 0) = 0.0f;
  layer.forward(x.view(), y.view());
  CHECK(y(0, 0) == static_cast<float>(-128.0 * 255.0 * static_cast<double>(in - 1)));
  CHECK_THROWS_WITH(make(in + 1).in<Compute<int8>>(), Contains("65794 inputs share a scale"));
}

TEST_CASE("Compute<int8>: zero points that are no integers are an error", "[linear]") {
  MergedLinear<UInt<4>, Bytes> layer({1, 3}, PerChannel::layout({1, 3}, {}),
                                     std::vector<float>{1.0f}, std::vector<float>{0.5f}, {});
  CHECK_THROWS_WITH(layer.in<Compute<int8>>(), Contains("zero point 0 is 0.5"));
}

TEST_CASE("MergedLinear::in: moves the codes or copies them", "[linear]") {
  const auto layer = random_layer<Int<3>, NoInput>(20, 30, PerChannel::layout({20, 30}, {}));
  auto copy = layer.in<Compute<int8>, Bytes>();
  STATIC_REQUIRE(std::is_same_v<decltype(copy), MergedLinear<Int<3>, Bytes, CpuInt8>>);
  const std::uint32_t* const codes = copy.panel(0);
  CHECK(codes != layer.panel(0));
  CHECK(layer.code(19, 29) == copy.code(19, 29));
  // One more copy of the scales, panel by panel, is all that integers ask for.
  CHECK(copy.bytes().base == layer.bytes().base);
  CHECK(copy.bytes().scales == layer.bytes().scales + 32 * sizeof(float));
  auto back = std::move(copy).in<Compute<float>, NoInput>();
  STATIC_REQUIRE(std::is_same_v<decltype(back), MergedLinear<Int<3>, NoInput, Cpu>>);
  CHECK(back.panel(0) == codes);
  const Matrix x = tokens_of(4, 30);
  Matrix y(4, 20), expected(4, 20);
  back.forward(x.view(), y.view());
  layer.forward(x.view(), expected.view());
  CHECK(bits_of(y.values) == bits_of(expected.values));
}

TEST_CASE("Compute<int8>: a trained layer merges into it", "[linear]") {
  const QuantLinear<Int<4>, PerGroup<32>, LowRank<2>, Bytes> layer(
      random_matrix(24, 96, 0.2f, 5).view());
  const auto merged = layer.merge().in<Compute<int8>>();
  const Matrix x = tokens_of(6, 96);
  Matrix y(6, 24);
  merged.forward(x.view(), y.view());
  CHECK(bits_of(y.values) == bits_of(formula(merged, x).values));
}

}  // namespace
}  // namespace lrqat::test::merged_int8_cases
