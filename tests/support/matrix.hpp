// SPDX-License-Identifier: MIT
// tests/support/matrix.hpp: small owning matrices, random numbers and comparisons for tests.
#ifndef LRQAT_TESTS_SUPPORT_MATRIX_HPP
#define LRQAT_TESTS_SUPPORT_MATRIX_HPP

#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/core/rng.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lrqat::test {

/// Row-major and owning; converts to the views that the library takes.
struct Matrix {
  std::size_t rows = 0, cols = 0;
  std::vector<float> values;

  Matrix(std::size_t row_count, std::size_t col_count, float value = 0.0f)
      : rows(row_count), cols(col_count), values(row_count * col_count, value) {}
  Matrix(std::size_t row_count, std::size_t col_count, std::vector<float> elements)
      : rows(row_count), cols(col_count), values(std::move(elements)) {}

  float& operator()(std::size_t i, std::size_t j) { return values[i * cols + j]; }
  float operator()(std::size_t i, std::size_t j) const { return values[i * cols + j]; }
  MatrixView<float> view() { return {values.data(), rows, cols}; }
  MatrixView<const float> view() const { return {values.data(), rows, cols}; }
};

/// Standard normal numbers times `scale`; the same for the same seed everywhere.
inline Matrix random_matrix(std::size_t rows, std::size_t cols, float scale, std::uint64_t seed) {
  Matrix matrix(rows, cols);
  const CounterRng random(seed, 0x7e57);
  for (std::size_t i = 0; i < matrix.values.size(); ++i)
    matrix.values[i] = scale * random.normal(i);
  return matrix;
}

/// The bits, so that NaN equals itself and the two zeros differ.
inline std::vector<std::uint32_t> bits_of(std::span<const float> values) {
  std::vector<std::uint32_t> bits(values.size());
  std::transform(values.begin(), values.end(), bits.begin(),
                 [](float value) { return std::bit_cast<std::uint32_t>(value); });
  return bits;
}

inline std::vector<float> copy_of(std::span<const float> values) {
  return {values.begin(), values.end()};
}

/// The parameter of that name; a layer without it gives an empty one.
inline Parameter<float> named(Parameters<float> all, const std::string& name) {
  for (Parameter<float>& each : all)
    if (each.name == name) return each;
  return {};
}

/// Fills what a layer trains besides scales and bias with normal numbers times `scale`.
template <class Layer>
void randomize_adapter(Layer& layer, float scale, std::uint64_t seed) {
  for (Parameter<float>& each : layer.parameters()) {
    if (each.role != Role::adapter) continue;
    const CounterRng random(seed, each.name.front() == 'A' ? 1 : 2);
    for (std::size_t i = 0; i < each.value.size(); ++i) each.value[i] = scale * random.normal(i);
  }
}

/// Outputs and gradients of one forward and one backward pass.
struct Passes {
  Matrix y, grad_x;
  std::vector<std::vector<float>> gradients;  // in the order of parameters()

  bool operator==(const Passes& other) const {
    if (gradients.size() != other.gradients.size()) return false;
    for (std::size_t i = 0; i < gradients.size(); ++i)
      if (bits_of(gradients[i]) != bits_of(other.gradients[i])) return false;
    return bits_of(y.values) == bits_of(other.y.values) &&
           bits_of(grad_x.values) == bits_of(other.grad_x.values);
  }
};

/// Runs both passes on a copy of the layer with zeroed gradients.
template <class Layer>
Passes run_passes(Layer layer, const Matrix& x, const Matrix& grad_y) {
  Passes result{Matrix(x.rows, layer.out_features(), -77.0f), Matrix(x.rows, x.cols, -77.0f), {}};
  for (const Parameter<float>& each : layer.parameters())
    std::fill(each.gradient.begin(), each.gradient.end(), 0.0f);
  layer.forward(x.view(), result.y.view());
  layer.backward(x.view(), grad_y.view(), result.grad_x.view());
  for (const Parameter<float>& each : layer.parameters())
    result.gradients.push_back(copy_of(each.gradient));
  return result;
}

/// The whole of W_hat.
template <class Layer>
Matrix weight_of(const Layer& layer) {
  Matrix weight(layer.out_features(), layer.in_features());
  if constexpr (requires { layer.weight(); })
    layer.weight().weight({0, 0, weight.rows, weight.cols}, weight.view());
  else
    layer.weight({0, 0, weight.rows, weight.cols}, weight.view());
  return weight;
}

/// The grid levels of a layer that trains, as integers.
template <class Layer>
std::vector<int> levels_of(const Layer& layer) {
  std::vector<int> levels;
  layer.for_each_row_of_levels([&](std::size_t, std::span<const float> row) {
    for (const float level : row) levels.push_back(static_cast<int>(level));
  });
  return levels;
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_SUPPORT_MATRIX_HPP
