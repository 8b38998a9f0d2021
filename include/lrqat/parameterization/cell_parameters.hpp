// SPDX-License-Identifier: MIT
// parameterization/cell_parameters.hpp: what the weights of a cell share, and how it is trained.
#ifndef LRQAT_PARAMETERIZATION_CELL_PARAMETERS_HPP
#define LRQAT_PARAMETERIZATION_CELL_PARAMETERS_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/initializer.hpp>
#include <lrqat/concept/scale_format.hpp>
#include <lrqat/concept/trainable.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/core/numeric.hpp>  // clamp
#include <lrqat/core/parameter.hpp>
#include <lrqat/core/quant_options.hpp>
#include <lrqat/parameterization/tile_gradient.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

namespace lrqat {

/// Scale and, on grids that have one, zero point or offset of each cell of a granularity. Masters
/// are float32; used() says what a weight is made with:
///
///   scale        in its format, at least the format's floor; a master below that gets no gradient
///   step         of grids with a threshold: what a weight is divided by
///   zero point   the master, an integer; where it is trained, round(master) clipped to the codes,
///                with the gradient of neither (straight through both, EfficientQAT)
///   offset       in the format of the scales, straight through
template <Grid G, Trainable T, ScaleFormatOf<G> F>
class CellParameters {
 public:
  static constexpr Shift trained_shift = G::has_zero_point && trains_zero_point<T>
                                             ? Shift::zero_point
                                         : has_offset<G> && trains_offset<T> ? Shift::offset
                                                                             : Shift::none;
  /// Sums that the backward pass makes for a cell.
  static constexpr std::size_t trained =
      (T::scale ? 1 : 0) + (trained_shift != Shift::none ? 1 : 0);

  CellParameters(std::span<const QParams> cells, const QuantOptions& options) : format_(options) {
    set(cells);
    if constexpr (T::scale) scale_gradient_.resize(cells.size());
    if constexpr (trained_shift != Shift::none) shift_gradient_.resize(cells.size());
  }

  /// Those of another grid with the same parameters; buffers change hands.
  template <class Other>
  requires(G::has_zero_point == Other::has_zero_point && has_offset<G> == has_offset<Other> &&
           has_threshold<G> == has_threshold<Other>)
  explicit CellParameters(CellParameters<Other, T, F>&& other)
      : format_(other.format_),
        scale_(std::move(other.scale_)),
        scale_gradient_(std::move(other.scale_gradient_)),
        shift_(std::move(other.shift_)),
        shift_gradient_(std::move(other.shift_gradient_)),
        step_(std::move(other.step_)) {}

  /// New masters, one for each cell.
  void set(std::span<const QParams> cells) {
    scale_.resize(cells.size());
    if constexpr (has_shift) shift_.resize(cells.size());
    if constexpr (has_threshold<G>) step_.resize(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      scale_[i] = cells[i].scale;
      if constexpr (has_shift) shift_[i] = G::has_zero_point ? cells[i].zero_point : cells[i].offset;
      if constexpr (has_threshold<G>) step_[i] = std::max(cells[i].divisor(), scale_floor);
    }
  }

  std::size_t size() const { return scale_.size(); }
  /// What it keeps beside gradients and thresholds.
  std::size_t bytes() const { return (scale_.size() + shift_.size()) * sizeof(float); }
  std::span<float> scales() { return scale_; }
  std::span<const float> scales() const { return scale_; }
  /// Masters; empty where the grid has none.
  std::span<const float> zero_points() const { return G::has_zero_point ? shifts() : no_numbers(); }
  std::span<const float> offsets() const { return has_offset<G> ? shifts() : no_numbers(); }

  /// "scale", then "zero_point" or "offset", those that are trained.
  Parameters<float> parameters() {
    Parameters<float> all;
    if constexpr (T::scale) all.push_back({"scale", Role::scale, scale_, scale_gradient_});
    if constexpr (trained_shift == Shift::zero_point)
      all.push_back({"zero_point", Role::zero_point, shift_, shift_gradient_});
    if constexpr (trained_shift == Shift::offset)
      all.push_back({"offset", Role::offset, shift_, shift_gradient_});
    return all;
  }

  LRQAT_INLINE QParams used(std::size_t cell) const {
    QParams used;
    if constexpr (trained_shift == Shift::zero_point)
      used.zero_point = clamp(G::round(shift_[cell]), static_cast<float>(G::code_min),
                              static_cast<float>(G::code_max));
    else if constexpr (G::has_zero_point)
      used.zero_point = shift_[cell];
    if constexpr (has_offset<G>) used.offset = format_.round_offset(shift_[cell]);
    if constexpr (has_threshold<G>) used.step = step_[cell];
    used.scale = format_.template round<G>(std::max(scale_[cell], format_.floor()), used.zero_point);
    return used;
  }

  /// Adds to the gradients themselves, times `factor`.
  void add(std::size_t cell, CellGradient sums, float factor) {
    if constexpr (T::scale)
      if (!(scale_[cell] < format_.floor())) scale_gradient_[cell] += factor * sums.scale;
    if constexpr (trained_shift != Shift::none) shift_gradient_[cell] += factor * sums.shift;
  }

  /// Adds to a buffer of trained * size() numbers, from which sums() reads.
  LRQAT_INLINE void add_to(std::span<float> shared, std::size_t cell, CellGradient sums) const {
    if constexpr (T::scale) shared[cell] += sums.scale;
    if constexpr (trained_shift != Shift::none) shared[shift_start() + cell] += sums.shift;
  }
  CellGradient sums(std::span<const float> shared, std::size_t cell) const {
    CellGradient sums;
    if constexpr (T::scale) sums.scale = shared[cell];
    if constexpr (trained_shift != Shift::none) sums.shift = shared[shift_start() + cell];
    return sums;
  }

 private:
  template <Grid Other, Trainable OtherT, ScaleFormatOf<Other> OtherF>
  friend class CellParameters;

  static constexpr bool has_shift = G::has_zero_point || has_offset<G>;

  std::size_t shift_start() const { return T::scale ? size() : 0; }
  std::span<const float> shifts() const { return shift_; }
  static std::span<const float> no_numbers() { return {}; }

  [[no_unique_address]] F format_;
  AlignedVector<float> scale_, scale_gradient_;
  AlignedVector<float> shift_, shift_gradient_;  // of zero points or of offsets
  AlignedVector<float> step_;                    // of grids with a threshold
};

}  // namespace lrqat

#endif  // LRQAT_PARAMETERIZATION_CELL_PARAMETERS_HPP
