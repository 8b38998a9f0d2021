// SPDX-License-Identifier: MIT
// linear/merged_weight.hpp: a merged layer as numbers whose grid is known at run time only.
#ifndef LRQAT_LINEAR_MERGED_WEIGHT_HPP
#define LRQAT_LINEAR_MERGED_WEIGHT_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/numeric.hpp>  // fused_multiply_add
#include <lrqat/core/scale_layout.hpp>
#include <lrqat/linear/merged_linear.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace lrqat {

/// What a file stores of a merged layer: weight = scale * (code - zero point) + offset on a uniform
/// grid, which has a zero point, an offset, or neither.
struct MergedWeight {
  Shape shape;  // (out, in)
  ScaleLayout layout;
  int bits = 0, code_min = 0;  // codes are code_min .. code_min + 2^bits - 1
  bool has_zero_point = false;
  bool is_uniform = true;                          // weight is as above; false: on a grid of levels
                                                   // that only its type knows
  AlignedVector<float> scales, zero_points, bias;  // in layout order; the last two may be empty
  AlignedVector<std::int16_t> codes;               // (out, in)
  AlignedVector<float> offsets{};                  // in layout order, or empty

  bool has_offset() const { return !offsets.empty(); }

  std::span<const std::int16_t> row(std::size_t i) const {
    return std::span(codes).subspan(i * shape.cols, shape.cols);
  }
  /// Row `row` of the weight (in), with the bits of the merged layer's.
  /// @pre is_uniform
  void dequantize(std::size_t row, std::span<float> values) const {
    for (std::size_t j = 0; j < shape.cols; ++j) {
      const std::size_t cell = layout.index(row, j);
      const float zero = has_zero_point ? zero_points[cell] : 0.0f;
      const float level = static_cast<float>(codes[row * shape.cols + j]) - zero;
      values[j] = has_offset() ? fused_multiply_add(scales[cell], level, offsets[cell])
                               : scales[cell] * level;
    }
  }
};

/// Whether weights on the grid are scale * (code - zero point), but for an offset.
template <Grid G>
constexpr bool is_uniform_grid() {
  for (const float zero : {0.0f, 1.0f})
    for (int code = G::code_min; code <= G::code_max; ++code)
      if (G::level(code, G::has_zero_point ? zero : 0.0f) !=
          static_cast<float>(code) - (G::has_zero_point ? zero : 0.0f))
        return false;
  return true;
}

template <Grid G, class In, class B>
MergedWeight merged_weight(const MergedLinear<G, In, B>& layer) {
  static_assert(!changes_basis<In>,
                "merged_weight: the codes are those of a weight behind a transform of x, which they "
                "alone do not say. Keep the layer itself, or train without the transform.");
  MergedWeight weight{.shape = layer.shape(),
                      .layout = layer.layout(),
                      .bits = G::bits,
                      .code_min = G::code_min,
                      .has_zero_point = G::has_zero_point,
                      .is_uniform = is_uniform_grid<G>(),
                      .scales = {layer.scales().begin(), layer.scales().end()},
                      .zero_points = {layer.zero_points().begin(), layer.zero_points().end()},
                      .bias = {layer.bias().begin(), layer.bias().end()},
                      .codes = AlignedVector<std::int16_t>(layer.shape().size()),
                      .offsets = {layer.offsets().begin(), layer.offsets().end()}};
  for (std::size_t i = 0; i < weight.shape.rows; ++i)
    for (std::size_t j = 0; j < weight.shape.cols; ++j)
      weight.codes[i * weight.shape.cols + j] = static_cast<std::int16_t>(layer.code(i, j));
  return weight;
}

/// The layer of these numbers. @throws Error where they are not of grid G or do not fit each other
template <class Merged>
Merged merged_linear(const MergedWeight& weight) {
  using G = typename Merged::grid;
  expects(weight.is_uniform && is_uniform_grid<G>() && weight.bits == G::bits &&
              weight.code_min == G::code_min && weight.has_zero_point == G::has_zero_point &&
              weight.has_offset() == has_offset<G>,
          "merged_linear: codes of ", weight.bits, " bits from ", weight.code_min, " on",
          weight.has_offset() ? ", with offsets," : "", " are not those of a grid of ", G::bits,
          " bits from ", G::code_min, " on", has_offset<G> ? " with offsets" : "");
  expects(weight.codes.size() == weight.shape.size(), "merged_linear: ", weight.codes.size(),
          " codes for a weight (", weight.shape.rows, ", ", weight.shape.cols, ")");
  Merged layer(weight.shape, weight.layout, weight.scales, weight.zero_points, weight.bias,
               weight.offsets);
  for (std::size_t i = 0; i < weight.shape.rows; ++i)
    for (std::size_t j = 0; j < weight.shape.cols; ++j) {
      const int code = weight.codes[i * weight.shape.cols + j];
      expects(code >= G::code_min && code <= G::code_max, "merged_linear: code ", code, " at (", i,
              ", ", j, ") is outside ", G::code_min, " .. ", G::code_max);
      layer.set_code(i, j, code);
    }
  return layer;
}

}  // namespace lrqat

#endif  // LRQAT_LINEAR_MERGED_WEIGHT_HPP
