// SPDX-License-Identifier: MIT
// tests/linear/transform.test.cpp: layers whose inputs are transformed.
#include <lrqat/linear/quant_linear.hpp>

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>

namespace lrqat::test::transform_cases {
namespace {

using Catch::Matchers::Contains;

/// Reals: nothing is rounded, nothing clipped.
struct Real {
  using policy_kind = kind::grid;
  static constexpr int bits = 8, code_min = -128, code_max = 127;
  static constexpr bool has_zero_point = false;
  template <class V>
  LRQAT_INLINE static V round(V u) {
    return u;
  }
  template <class V>
  LRQAT_INLINE static V clip(V rounded, V) {
    return rounded;
  }
  template <class V>
  LRQAT_INLINE static int code(V level, V) {
    return static_cast<int>(level);
  }
  template <class V>
  LRQAT_INLINE static V level(int code, V) {
    return static_cast<V>(code);
  }
};

constexpr std::size_t out = 6, in = 40, tokens = 5;  // blocks of 8
const Matrix weight = random_matrix(out, in, 0.4f, 1);
const Matrix x = random_matrix(tokens, in, 1.0f, 2), grad_y = random_matrix(tokens, out, 1.0f, 3);

using Plain = QuantLinear<Int<4>, LowRank<4>>;
static_assert(std::is_same_v<Plain, QuantLinear<Identity, LowRank<4>, Int<4>>>);
static_assert(!std::is_same_v<Plain, QuantLinear<Hadamard<>, LowRank<4>, Int<4>>>);
static_assert(std::is_same_v<QuantLinear<Int<4>, Hadamard<>>::input, TransformedInput<Hadamard<>>>);
static_assert(std::is_same_v<QuantLinear<Input<UInt<8>>, Int<4>, Hadamard<16>>::input,
                             TransformedInput<Hadamard<16>, Input<UInt<8>>>>);

/// sum_k |a_k b_k| times the roundings of a sum of `in` products of numbers that had a transform
/// (4 roundings each) and a scale (2).
double rounding_bound(std::span<const float> a, std::span<const float> b) {
  double norm_a = 0, norm_b = 0;
  for (const float value : a) norm_a += static_cast<double>(value) * static_cast<double>(value);
  for (const float value : b) norm_b += static_cast<double>(value) * static_cast<double>(value);
  return std::sqrt(norm_a * norm_b) * (static_cast<double>(in) + 12) * 0x1p-23;
}

TEST_CASE("Transform: without quantization y, dL/dx and the loss stay what they are", "[linear]") {
  using Rotated = QuantLinear<Real, Hadamard<>, Dense<float>, LowRank<2>>;
  using Straight = QuantLinear<Real, Dense<float>, LowRank<2>>;
  const Passes got = run_passes(Rotated(weight.view()), x, grad_y);
  const Passes expected = run_passes(Straight(weight.view()), x, grad_y);
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t i = 0; i < out; ++i)
      CHECK(std::fabs(static_cast<double>(got.y(t, i) - expected.y(t, i))) <=
            rounding_bound(x.view().row(t), weight.view().row(i)));
    for (std::size_t j = 0; j < in; ++j)
      CHECK(std::fabs(static_cast<double>(got.grad_x(t, j) - expected.grad_x(t, j))) <=
            rounding_bound(grad_y.view().row(t), weight.values));
  }
  CHECK(bits_of(got.y.values) != bits_of(expected.y.values));
}

/// Sum of y * grad_y in double.
template <class Layer>
double loss(const Layer& layer, const Matrix& input) {
  Matrix y(input.rows, out);
  layer.forward(input.view(), y.view());
  double sum = 0;
  for (std::size_t i = 0; i < y.values.size(); ++i)
    sum += static_cast<double>(y.values[i]) * static_cast<double>(grad_y.values[i]);
  return sum;
}

TEST_CASE("Transform: gradients of what comes before and behind it are differences", "[linear]") {
  using Layer = QuantLinear<Real, Hadamard<>, Dense<float>, LowRank<2>, Everything, Reference>;
  const std::vector<float> bias(out, 0.5f);
  Layer layer(weight.view(), {}, bias);
  randomize_adapter(layer, 0.3f, 4);
  const Passes passes = run_passes(layer, x, grad_y);
  // The loss is linear in each number, so that no step truncates; a scale must stay positive.
  double noise = 0;
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t i = 0; i < out; ++i)
      noise += std::fabs(static_cast<double>(grad_y(t, i))) * 20 * in * 0x1p-24;
  const auto check = [&](float& value, const Matrix& input, float gradient, float step = 0.5f) {
    const float kept = value;
    value = kept + step;
    const double above = loss(layer, input), high = static_cast<double>(value);
    value = kept - step;
    const double slope = (above - loss(layer, input)) / (high - static_cast<double>(value));
    value = kept;
    CHECK(std::fabs(slope - static_cast<double>(gradient)) <= noise / static_cast<double>(step));
  };
  Matrix moved = x;
  for (std::size_t i = 0; i < x.values.size(); ++i)
    check(moved.values[i], moved, passes.grad_x.values[i]);
  const Parameters<float> parameters = layer.parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p)
    for (std::size_t i = 0; i < parameters[p].value.size(); ++i)
      check(parameters[p].value[i], x, passes.gradients[p][i],
            parameters[p].role == Role::scale ? parameters[p].value[i] / 2 : 0.5f);
}

using Rotated = method::RotatedLrQat<4, 4>;

TEST_CASE("Transform: merges to the same bits and keeps the transform", "[linear]") {
  Rotated layer(weight.view());
  randomize_adapter(layer, 0.5f, 5);
  const auto merged = layer.merge();
  static_assert(std::is_same_v<decltype(merged)::input, TransformedInput<Hadamard<128>>>);
  Matrix y(tokens, out), merged_y(tokens, out);
  layer.forward(x.view(), y.view());
  merged.forward(x.view(), merged_y.view());
  CHECK(bits_of(merged_y.values) == bits_of(y.values));

  // Codes times codes: the transform stays in front of another quantizer, too.
  const auto in_integers = merged.in<Compute<int8>, SymmetricInput<8>>();
  using InFloat = MergedLinear<Int<4>, TransformedInput<Hadamard<128>, SymmetricInput<8>>>;
  static_assert(std::is_same_v<decltype(in_integers)::input, InFloat::input>);
  const auto simulated = merged.in<Compute<float>, SymmetricInput<8>>();
  in_integers.forward(x.view(), y.view());
  simulated.forward(x.view(), merged_y.view());
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t i = 0; i < out; ++i)
      CHECK(std::fabs(static_cast<double>(y(t, i) - merged_y(t, i))) <=
            4 * rounding_bound(x.view().row(t), weight.view().row(i)) + 1e-6);
}

TEST_CASE("Transform: rows from a source give the bits of the matrix", "[linear]") {
  const Rotated layer(weight.view());
  const Rotated by_rows(Shape{out, in}, [](std::size_t row, std::span<float> values) {
    std::copy_n(weight.view().row(row).data(), values.size(), values.data());
  });
  CHECK(copy_of(layer.weight().scales()) == copy_of(by_rows.weight().scales()));
  CHECK(levels_of(layer) == levels_of(by_rows));
}

TEST_CASE("Transform: a weight that is not finite is named where it stands", "[linear]") {
  Matrix broken = weight;
  broken(3, 13) = std::numeric_limits<float>::infinity();
  CHECK_THROWS_WITH(Rotated(broken.view()), Contains("weight (3, 13) is not finite"));
}

TEST_CASE("Transform: a weight in another basis does not get away without its transform",
          "[linear]") {
  const AnyLinear trained(Rotated(weight.view()));
  const AnyLinear merged = trained.merge();
  CHECK(merged.is_merged());
  CHECK_THROWS_WITH(merged.merged_weight(), Contains("(6, 40)") && Contains("transform"));
  CHECK_THROWS_WITH(merged.weight(), Contains("(6, 40)") && Contains("transform"));
  CHECK_THROWS_WITH(trained.weight(), Contains("transform"));
}

}  // namespace
}  // namespace lrqat::test::transform_cases
