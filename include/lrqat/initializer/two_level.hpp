// SPDX-License-Identifier: MIT
// initializer/two_level.hpp: 4-bit codes inside of 8-bit ones, so that products stay in integers.
#ifndef LRQAT_INITIALIZER_TWO_LEVEL_HPP
#define LRQAT_INITIALIZER_TWO_LEVEL_HPP

#include <lrqat/core/bf16.hpp>            // half
#include <lrqat/core/quant_options.hpp>   // ScaleType
#include <lrqat/granularity/per_group.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/initializer/weight_on_grid.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lrqat {

/// Scale and zero point of a group of 8-bit levels, both integers: level = scale * (code - zero).
struct TwoLevelGroup {
  std::uint8_t scale = 1;  // 1 .. 16
  std::uint8_t zero = 0;   // 0 .. 15

  int code(int level) const {
    const float rounded = round_half_even(static_cast<float>(level) / static_cast<float>(scale));
    return static_cast<int>(clamp(rounded + static_cast<float>(zero), 0.0f, 15.0f));
  }
  /// In -128 .. 127 for the levels of a group that two_level_group was given, if these were in
  /// +-two_level_bound.
  constexpr int level(int code) const { return scale * (code - zero); }
};

/// The largest bound on levels that keeps level(code(level)) in 8 bits: with 120, a group that
/// reaches from -119 to 120 has scale 16 and zero 7, and 120 comes back as 128.
inline constexpr int two_level_bound = 119;

/// scale = round((high - low) / 15), at least 1; zero = round(-low / scale), in 0 .. 15.
/// @pre low <= 0 <= high (a group's range includes zero)
inline TwoLevelGroup two_level_group(int low, int high) {
  const float scale = std::max(round_half_even(static_cast<float>(high - low) / 15.0f), 1.0f);
  const float zero = clamp(round_half_even(static_cast<float>(-low) / scale), 0.0f, 15.0f);
  return {static_cast<std::uint8_t>(scale), static_cast<std::uint8_t>(zero)};
}

/// QServe's weight: W_hat(i, j) = channel_scale(i) * group.level(code), the level an int8.
struct TwoLevelWeight {
  Shape shape;                           // (out, in)
  ScaleLayout layout;                    // of the groups
  std::vector<float> channel_scales;     // (out)
  std::vector<TwoLevelGroup> groups;     // in layout order
  std::vector<std::uint8_t> codes;       // (out, in), 0 .. 15

  /// What the product of 8-bit integers reads.
  std::int8_t level(std::size_t row, std::size_t col) const {
    return static_cast<std::int8_t>(
        groups[layout.index(row, col)].level(codes[row * shape.cols + col]));
  }

  /// The same codes on one level of scales, for `QuantLinear<UInt<4>, PerGroup<...>, ...>`: the
  /// scale of a group is channel scale * group scale, the zero point the group's.
  ///
  /// Codes and zero points are equal. W_hat is channel_scale * level to the bit when channel scales
  /// are halves: the product of 11, 5 and 4 significant bits is exact in float. With float32 scales
  /// the product of the two scales is rounded, and W_hat is within 2^-22 of its value.
  WeightOnGrid on_one_level() const {
    WeightOnGrid found{shape, AlignedVector<float>(shape.rows * shape.cols),
                       std::vector<QParams>(layout.size())};
    for (std::size_t row = 0; row < shape.rows; ++row)
      for (std::size_t col = 0; col < shape.cols; ++col) {
        const TwoLevelGroup& group = groups[layout.index(row, col)];
        QParams& qparams = found.qparams[layout.index(row, col)];
        qparams = {unfused_product(channel_scales[row], static_cast<float>(group.scale)),
                   static_cast<float>(group.zero)};
        found.values[row * shape.cols + col] = unfused_product(
            qparams.scale, static_cast<float>(codes[row * shape.cols + col] - group.zero));
      }
    return found;
  }
};

/// QServe's two-level quantization of a weight (Lin et al., arXiv 2405.04532, "progressive group
/// quantization"): level 0 per output, scale = max|w| / 119, levels round(w / scale) in +-119;
/// level 1 per group of these integers, see two_level_group. 119 makes sure that the way back from
/// 4 bits to 8 never overflows. The published code stores scale * zero of a group in place of zero;
/// the 8-bit level is the same.
///
/// @param weight      (out, in)
/// @param group_size  inputs of a group; the last group of a row may be shorter
/// @param scales      fp16: channel scales are halves, at least 2^-24, as QServe stores them
/// Errors: a weight that is empty or not finite; groups that do not fit; with fp16 a weight beyond
/// 119 * 65504.
inline TwoLevelWeight two_level(MatrixView<const float> weight, std::size_t group_size = 128,
                                ScaleType scales = ScaleType::fp16) {
  detail::expect_finite("two_level", weight);
  QuantOptions options;
  options.group_size = group_size;
  TwoLevelWeight found;
  found.shape = weight.shape();
  found.layout = PerGroup<dynamic>::layout(weight.shape(), options);
  found.channel_scales.resize(weight.rows);
  found.groups.resize(found.layout.size());
  found.codes.resize(weight.rows * weight.cols);
  parallel_for(weight.rows, [&](std::size_t row) {
    const std::span<const float> values = weight.row(row);
    float largest = 0;
    for (const float w : values) largest = std::max(largest, std::fabs(w));
    float scale = std::max(largest / static_cast<float>(two_level_bound), scale_floor);
    if (scales == ScaleType::fp16) scale = static_cast<float>(half(std::max(scale, 0x1p-24f)));
    expects(std::isfinite(scale), "two_level: row ", row, " reaches ", largest,
            ", too far for a scale of 16 bits; use ScaleType::float32");
    found.channel_scales[row] = scale;
    const auto level_of = [scale](float w) {
      constexpr auto bound = static_cast<float>(two_level_bound);
      return static_cast<int>(clamp(round_half_even(w / scale), -bound, bound));
    };
    found.layout.for_each_segment(
        {row, 0, 1, weight.cols}, [&](auto, auto col, auto count, auto cell) {
          int low = 0, high = 0;
          for (const float w : values.subspan(col, count)) {
            low = std::min(low, level_of(w));
            high = std::max(high, level_of(w));
          }
          found.groups[cell] = two_level_group(low, high);
          for (std::size_t j = col; j < col + count; ++j)
            found.codes[row * weight.cols + j] =
                static_cast<std::uint8_t>(found.groups[cell].code(level_of(values[j])));
        });
  });
  return found;
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_TWO_LEVEL_HPP
