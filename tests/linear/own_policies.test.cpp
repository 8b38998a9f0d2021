// SPDX-License-Identifier: MIT
// tests/linear/own_policies.test.cpp: a grid, a storage and an adapter from outside the library
// train and merge like its own.
#include <lrqat/lrqat.hpp>
#include <lrqat/optim/adamw.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>

// A user's policies, in a namespace of their own.
namespace someone {

/// Odd levels -3, -1, 1, 3: no zero, two bits.
struct MidRise {
  using policy_kind = lrqat::kind::grid;
  static constexpr int bits = 2, code_min = 0, code_max = 3;
  static constexpr bool has_zero_point = false;
  template <class V>
  LRQAT_INLINE static V round(V u) {
    return V(2) * lrqat::round_half_even((u - V(1)) * V(0.5)) + V(1);
  }
  template <class V>
  LRQAT_INLINE static V clip(V rounded, V) {
    return lrqat::clamp(rounded, V(-3), V(3));
  }
  template <class V>
  LRQAT_INLINE static int code(V level, V) {
    return static_cast<int>(level + V(3)) / 2;
  }
  template <class V>
  LRQAT_INLINE static V level(int code, V) {
    return static_cast<V>(2 * code - 3);
  }
};

/// Two bytes a weight: the real times 2^8, in steps of 1/256 up to +-128.
struct SixteenBits {
  using policy_kind = lrqat::kind::storage;
  template <lrqat::Grid G>
  struct bound_to {
    static constexpr bool keeps_reals = false;
    static std::size_t bytes_per_row(std::size_t in) { return 2 * in; }
    static void encode(std::span<const float> values, float, std::byte* row, std::size_t first) {
      for (std::size_t j = 0; j < values.size(); ++j) {
        const float fixed = lrqat::clamp(std::nearbyint(values[j] * 256.0f), -32768.0f, 32767.0f);
        const auto bits = static_cast<unsigned>(static_cast<int>(fixed) + 32768);
        row[2 * (first + j)] = static_cast<std::byte>(bits & 0xFFu);
        row[2 * (first + j) + 1] = static_cast<std::byte>(bits >> 8);
      }
    }
    static void decode(const std::byte* row, std::size_t first, float, std::span<float> values) {
      for (std::size_t j = 0; j < values.size(); ++j) {
        const std::byte* at = row + 2 * (first + j);
        const int bits = std::to_integer<int>(at[0]) + 256 * std::to_integer<int>(at[1]);
        values[j] = static_cast<float>(bits - 32768) / 256.0f;
      }
    }
  };
};

/// delta(i, j) = u_i + v_j: one number a row and one a column.
struct RowsAndColumns {
  using policy_kind = lrqat::kind::adapter;
  static constexpr bool keeps_base = false;
  struct state {
    state(lrqat::Shape weight, const lrqat::QuantOptions&)
        : u(weight.rows), v(weight.cols), grad_u(weight.rows), grad_v(weight.cols) {}
    lrqat::Parameters<float> parameters() {
      return {{"u", lrqat::Role::adapter, u, grad_u}, {"v", lrqat::Role::adapter, v, grad_v}};
    }
    void add(const lrqat::Tile& tile, lrqat::MatrixView<float> z) const {
      for (std::size_t i = 0; i < tile.rows; ++i)
        for (std::size_t j = 0; j < tile.cols; ++j) z(i, j) += u[tile.row + i] + v[tile.col + j];
    }
    std::size_t shared_gradients() const { return u.size(); }
    void backward(const lrqat::Tile& tile, lrqat::MatrixView<const float> grad_z,
                  std::span<float> shared) {
      for (std::size_t i = 0; i < tile.rows; ++i)
        for (std::size_t j = 0; j < tile.cols; ++j) {
          shared[tile.row + i] += grad_z(i, j);
          grad_v[tile.col + j] += grad_z(i, j);
        }
    }
    void reduce(std::span<const float> shared) {
      for (std::size_t i = 0; i < shared.size(); ++i) grad_u[i] += shared[i];
    }
    std::vector<float> u, v, grad_u, grad_v;
  };
};

static_assert(lrqat::Grid<MidRise>);
static_assert(lrqat::StorageOf<SixteenBits, MidRise>);
static_assert(lrqat::StorageOf<SixteenBits, lrqat::Int<4>>);
static_assert(lrqat::Adapter<RowsAndColumns>);

}  // namespace someone

namespace lrqat::test::own_policies_cases {
namespace {

/// Mean squared error against the outputs of another weight, and its gradient.
double error_of(const Matrix& y, const Matrix& wanted, Matrix* gradient) {
  double sum = 0;
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    const float difference = y.values[i] - wanted.values[i];
    sum += static_cast<double>(difference) * static_cast<double>(difference);
    if (gradient) gradient->values[i] = 2.0f * difference / static_cast<float>(y.values.size());
  }
  return sum / static_cast<double>(y.values.size());
}

/// AdamW towards a shifted weight: the loss falls below `share` of where it started, and
/// the merged layer has the trained one's bits.
template <class Layer>
void check_training(double share) {
  constexpr std::size_t out = 12, in = 24, tokens = 96;
  const Matrix weight = random_matrix(out, in, 0.5f, 1), x = random_matrix(tokens, in, 1.0f, 2);
  Matrix target = weight;  // rows and columns move: every adapter here can follow
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; ++j)
      target(i, j) += 0.3f * static_cast<float>(i % 3) - 0.2f * static_cast<float>(j % 4);
  Matrix wanted(tokens, out), y(tokens, out), grad_y(tokens, out), grad_x(tokens, in);
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t i = 0; i < out; ++i)
      for (std::size_t j = 0; j < in; ++j) wanted(t, i) += x(t, j) * target(i, j);

  QuantOptions options;
  options.rank = 4;
  Layer layer(weight.view(), options);
  layer.forward(x.view(), y.view());
  const double before = error_of(y, wanted, nullptr);
  AdamWOptions rates;
  rates.learning_rate = 0.02;
  rates.rules = {{Role::scale, 1e-3}};
  AdamW optimizer(layer.parameters(), rates);
  for (int step = 0; step < 300; ++step) {
    layer.zero_gradients();
    layer.forward(x.view(), y.view());
    error_of(y, wanted, &grad_y);
    layer.backward(x.view(), grad_y.view(), grad_x.view());
    optimizer.step();
  }
  layer.forward(x.view(), y.view());
  const double after = error_of(y, wanted, nullptr);
  INFO("mean squared error " << before << " -> " << after);
  CHECK(after < share * before);

  const auto merged = layer.merge();
  Matrix merged_y(tokens, out);
  merged.forward(x.view(), merged_y.view());
  CHECK(bits_of(merged_y.values) == bits_of(y.values));
  CHECK(weight_of(merged).values == weight_of(layer).values);
}

TEST_CASE("Own policies: a grid trains and merges", "[linear]") {
  check_training<QuantLinear<someone::MidRise, LowRank<dynamic>, Dense<float>>>(0.6);
  check_training<QuantLinear<someone::MidRise, LowRank<dynamic>, Packed, PerGroup<8>>>(0.6);
}

TEST_CASE("Own policies: a storage trains and merges", "[linear]") {
  check_training<QuantLinear<Int<4>, someone::SixteenBits, LowRank<dynamic>>>(0.25);
}

TEST_CASE("Own policies: an adapter trains and merges", "[linear]") {
  check_training<QuantLinear<Int<4>, someone::RowsAndColumns>>(0.25);
}

TEST_CASE("Own policies: all three at once", "[linear]") {
  using Layer =
      QuantLinear<someone::MidRise, someone::SixteenBits, someone::RowsAndColumns, LpSearch<2>>;
  check_training<Layer>(0.6);
}

TEST_CASE("Library policies: the same regression", "[linear]") {
  check_training<QuantLinear<Int<4>, LowRank<dynamic>>>(0.25);
  check_training<QuantLinear<Int<4>, FullRank, WeightDomain>>(0.25);
}

}  // namespace
}  // namespace lrqat::test::own_policies_cases
