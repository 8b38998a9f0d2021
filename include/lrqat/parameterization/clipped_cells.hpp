// SPDX-License-Identifier: MIT
// parameterization/clipped_cells.hpp: scales and zero points from learned parts of each cell's range.
#ifndef LRQAT_PARAMETERIZATION_CLIPPED_CELLS_HPP
#define LRQAT_PARAMETERIZATION_CLIPPED_CELLS_HPP

#include <lrqat/core/numeric.hpp>  // unfused_product, round_half_even, clamp
#include <lrqat/parameterization/cell_parameters.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace lrqat {

/// OmniQuant's learned weight clipping (Shao et al., arXiv 2308.13137, eq. 2). A cell's trained
/// numbers are two logits, gamma ("clip_high") and beta ("clip_low"), 4 at first:
///
///   high = sigmoid(gamma) max W    s = (high - low) / (2^b - 1), within [1e-5, 1e4]
///   low = sigmoid(beta) min W      z = round(-low / s), one of the codes
///
/// s is used in its format. As in the published code dL/ds goes on to both logits, but where s is
/// held by its bounds, and the rounding of z lets nothing through. 0 counts to a cell's range, as
/// everywhere here; in the published code a cell of one sign has a range without it, and z may lie
/// beyond the codes.
///
/// Where an adapter moves the weights, part of dL/ds belongs to the weights at the ends of a range:
/// end_gradient().
template <Grid G, Trainable T, ScaleFormatOf<G> F>
requires learns_clips<T>
class CellParameters<G, T, F> {
 public:
  static constexpr Shift trained_shift = Shift::none;
  /// Sums that the backward pass makes for a cell.
  static constexpr std::size_t trained = 1;
  static constexpr float first_logit = 4.0f, least_scale = 1e-5f, largest_scale = 1e4f;

  /// As many cells as `cells`; their ranges are yet to be set.
  CellParameters(std::span<const QParams> cells, const QuantOptions& options)
      : format_(options),
        ranges_(cells.size()),
        high_(cells.size(), first_logit),
        high_gradient_(cells.size()),
        low_(cells.size(), first_logit),
        low_gradient_(cells.size()),
        scale_gradient_(T::adapter ? cells.size() : 0) {}

  template <class Other>
  requires(G::has_zero_point == Other::has_zero_point)
  explicit CellParameters(CellParameters<Other, T, F>&& other)
      : format_(other.format_),
        ranges_(std::move(other.ranges_)),
        high_(std::move(other.high_)),
        high_gradient_(std::move(other.high_gradient_)),
        low_(std::move(other.low_)),
        low_gradient_(std::move(other.low_gradient_)),
        scale_gradient_(std::move(other.scale_gradient_)) {}

  /// Of the latent weights, one for each cell, 0 inside.
  void set_ranges(std::span<const Range> ranges) { ranges_.assign(ranges.begin(), ranges.end()); }
  const Range& range(std::size_t cell) const { return ranges_[cell]; }

  std::size_t size() const { return ranges_.size(); }
  /// What it keeps beside gradients.
  std::size_t bytes() const { return size() * (sizeof(Range) + 2 * sizeof(float)); }

  Parameters<float> parameters() {
    return {{"clip_high", Role::clip, high_, high_gradient_},
            {"clip_low", Role::clip, low_, low_gradient_}};
  }

  LRQAT_INLINE QParams used(std::size_t cell) const {
    const Range clipped = clipped_range(cell);
    const float scale = clamp((clipped.high - clipped.low) / steps, least_scale, largest_scale);
    QParams used;
    used.zero_point = clamp(round_half_even((0.0f - clipped.low) / scale),
                            static_cast<float>(G::code_min), static_cast<float>(G::code_max));
    used.scale = format_.template round<G>(std::max(scale, format_.floor()), used.zero_point);
    return used;
  }

  void add(std::size_t cell, CellGradient sums, float factor) {
    const Range clipped = clipped_range(cell);
    const float scale = (clipped.high - clipped.low) / steps;
    if (scale < least_scale || scale > largest_scale) return;
    const float gradient = factor * sums.scale;
    high_gradient_[cell] += gradient / steps * ranges_[cell].high * slope(high_[cell]);
    low_gradient_[cell] -= gradient / steps * ranges_[cell].low * slope(low_[cell]);
    if constexpr (T::adapter) scale_gradient_[cell] += gradient;
  }

  LRQAT_INLINE void add_to(std::span<float> shared, std::size_t cell, CellGradient sums) const {
    shared[cell] += sums.scale;
  }
  CellGradient sums(std::span<const float> shared, std::size_t cell) const {
    return {shared[cell], 0.0f};
  }

  /// dL/d(max W) and dL/d(min W) since this was last asked for, which starts anew.
  Range end_gradient(std::size_t cell) requires(T::adapter) {
    const float each = scale_gradient_[cell] / steps;
    scale_gradient_[cell] = 0.0f;
    return {-each * sigmoid(low_[cell]), each * sigmoid(high_[cell])};
  }

 private:
  template <Grid Other, Trainable OtherT, ScaleFormatOf<Other> OtherF>
  friend class CellParameters;

  static constexpr auto steps = static_cast<float>(G::code_max - G::code_min);

  LRQAT_INLINE Range clipped_range(std::size_t cell) const {
    return {unfused_product(sigmoid(low_[cell]), ranges_[cell].low),
            unfused_product(sigmoid(high_[cell]), ranges_[cell].high)};
  }
  /// 1 / (1 + e^-x), the float nearest to it; NaN stays NaN.
  static float sigmoid(float x) {
    return static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(x))));
  }
  static float slope(float logit) {
    const float part = sigmoid(logit);
    return part * (1.0f - part);
  }

  [[no_unique_address]] F format_;
  std::vector<Range> ranges_;
  AlignedVector<float> high_, high_gradient_, low_, low_gradient_;
  AlignedVector<float> scale_gradient_;  // where an adapter moves the ranges
};

}  // namespace lrqat

#endif  // LRQAT_PARAMETERIZATION_CLIPPED_CELLS_HPP
