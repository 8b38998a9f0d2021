// SPDX-License-Identifier: MIT
// tests/linear/merged_few_tokens.test.cpp: merged layers on a few tokens, float activations.
#include <lrqat/linear/merged_linear.hpp>

#include <lrqat/lrqat.hpp>

#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <catch2/catch.hpp>

#include <limits>
#include <vector>

namespace lrqat::test::merged_few_tokens_cases {
namespace {

/// Levels that are no integers: the kernels look them up.
struct OwnLevels {
  using policy_kind = kind::grid;
  static constexpr int bits = 2, code_min = 0, code_max = 3;
  static constexpr bool has_zero_point = false;
  template <class V>
  static V round(V u) {
    return u;
  }
  template <class V>
  static V clip(V rounded, V) {
    return rounded;
  }
  template <class V>
  static int code(V level, V) {
    return static_cast<int>((level + V(2)) / V(1.25));
  }
  template <class V>
  static V level(int code, V) {
    return V(1.25) * static_cast<V>(code) - V(2);
  }
};

/// forward() of a layer of random codes has the bits of the product with its weight.
template <class G>
void check_layer(std::size_t out, std::size_t in, const ScaleLayout& layout,
                 std::initializer_list<std::size_t> token_counts) {
  const CounterRng random(out * 1000 + in, static_cast<std::uint64_t>(G::bits));
  std::vector<float> scales(layout.size()), zeros(G::has_zero_point ? layout.size() : 0);
  for (std::size_t i = 0; i < scales.size(); ++i) scales[i] = 0.01f + random.uniform(i);
  for (std::size_t i = 0; i < zeros.size(); ++i)
    zeros[i] = static_cast<float>(random.below(1u << G::bits, 7 * i)) + (i % 3 == 0 ? 0.5f : 0.0f);
  MergedLinear<G> layer({out, in}, layout, scales, zeros, {});
  for (std::size_t i = 0; i < out * in; ++i)
    layer.set_code(i / in, i % in,
                   G::code_min + static_cast<int>(random.below(1u << G::bits, 3 * i)));
  const Matrix weight = weight_of(layer);
  Matrix transposed(in, out);
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; ++j) {
      const std::size_t cell = layout.index(i, j);
      const float zero = G::has_zero_point ? zeros[cell] : 0.0f;
      transposed(j, i) = scales[cell] * G::level(layer.code(i, j), zero);
      REQUIRE(weight(i, j) == transposed(j, i));
    }
  for (const std::size_t tokens : token_counts) {
    INFO("bits " << G::bits << " out " << out << " in " << in << " groups of "
                 << layout.group_columns << " tokens " << tokens);
    const Matrix x = random_matrix(tokens, in, 1.0f, tokens);
    Matrix y(tokens, out, -7.0f), expected(tokens, out);
    layer.forward(x.view(), y.view());
    kernel::multiply_into(kernel::left(x.view()), transposed.view(), expected.view());
    CHECK(bits_of(y.values) == bits_of(expected.values));
  }
}

template <class G>
void check_grid() {
  const auto per_channel = [](std::size_t out, std::size_t in) {
    return PerChannel::layout({out, in}, {});
  };
  check_layer<G>(37, 71, per_channel(37, 71), {0, 1, 2, 3, 4, 5, 8, 9});
  check_layer<G>(1, 1, per_channel(1, 1), {1, 3});
  check_layer<G>(131, 96, ScaleLayout{{131, 3}, 32}, {1, 2, 7});
  check_layer<G>(200, 77, ScaleLayout{{200, 3}, 32}, {1});
  check_layer<G>(33, 45, ScaleLayout{{33, 7}, 7}, {1, 4});  // groups that share blocks
  check_layer<G>(19, 40, ScaleLayout{{1, 1}, 40}, {1});
}

TEST_CASE("MergedLinear: a few tokens have the bits of the product with W_hat", "[linear]") {
  const MachineSettings restored;
  for (const kernel::Isa isa : isas_of_machine()) {
    kernel::set_active_isa(isa);
    INFO("isa " << isa_name(isa));
    check_grid<Sign>();
    check_grid<Int<2>>();
    check_grid<Int<3>>();
    check_grid<Int<4>>();
    check_grid<Int<8>>();
    check_grid<UInt<3>>();
    check_grid<UInt<5>>();
    check_grid<Int<6>>();
    check_grid<Int<7>>();
    check_grid<UInt<8>>();
    check_grid<OwnLevels>();
  }
}

TEST_CASE("MergedLinear: a few tokens, the same bits on several threads", "[linear]") {
  const MachineSettings restored;
  for (const int threads : thread_counts({2, 3})) {
    set_thread_count(threads);
    check_layer<Int<4>>(300, 64, ScaleLayout{{300, 2}, 32}, {1, 8});
  }
}

TEST_CASE("MergedLinear: values that are not finite stay in their token", "[linear]") {
  MergedLinear<Int<4>> layer({20, 33}, PerChannel::layout({20, 33}, {}),
                             std::vector<float>(20, 0.5f), {}, {});
  for (std::size_t i = 0; i < 20; ++i)
    for (std::size_t j = 0; j < 33; ++j) layer.set_code(i, j, static_cast<int>((i + j) % 7) + 1);
  Matrix x(3, 33, 1.0f), y(3, 20);
  x(0, 32) = std::numeric_limits<float>::infinity();
  x(1, 5) = std::numeric_limits<float>::quiet_NaN();
  layer.forward(x.view(), y.view());
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(y(0, i) == std::numeric_limits<float>::infinity());
    CHECK(y(1, i) != y(1, i));
    CHECK((y(2, i) > 0.0f && y(2, i) < 100.0f));
  }
}

}  // namespace
}  // namespace lrqat::test::merged_few_tokens_cases
