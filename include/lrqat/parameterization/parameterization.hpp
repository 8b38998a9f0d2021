// SPDX-License-Identifier: MIT
// parameterization/parameterization.hpp: the trained form of a weight, tile by tile.
#ifndef LRQAT_PARAMETERIZATION_PARAMETERIZATION_HPP
#define LRQAT_PARAMETERIZATION_PARAMETERIZATION_HPP

#include <lrqat/concept/adapter.hpp>
#include <lrqat/concept/estimator.hpp>
#include <lrqat/concept/granularity.hpp>
#include <lrqat/concept/initializer.hpp>
#include <lrqat/concept/placement.hpp>
#include <lrqat/concept/salient_weights.hpp>
#include <lrqat/concept/scale_format.hpp>
#include <lrqat/concept/storage.hpp>
#include <lrqat/concept/trainable.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/parameterization/cell_parameters.hpp>
#include <lrqat/parameterization/clipped_cells.hpp>
#include <lrqat/parameterization/tile_gradient.hpp>
#include <lrqat/placement/scale_coupling.hpp>
#include <lrqat/salient/no_salient.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

namespace lrqat {

/// W_hat (out, in) = s * clip(round(u)), u = to_grid(decode(base) + delta): everything about a
/// weight but its products with activations. A weight exists in full only as its codes; a backend
/// asks for one tile at a time:
///
///   latent(tile, z)                z = decode(base) + delta, or as the placement joins the two
///   dequantize(tile, z, w)         w = s * clip(round(to_grid(z)))
///
/// or, where the placement adds delta after the rounding, z = decode(base) and w = s * ... + delta;
/// on a grid with an offset beta, w = s * ... + beta; salient weights are then put back as they are
/// kept, and take no part in the gradients;
///
///   backward(tile, z, g, shared)   from g = dL/dW_hat (overwritten) to the trained parameters
///
/// The numbers that decide a rounding are computed in one fixed order, so that integers do not
/// depend on tiles, threads or instruction set.
template <Grid G, Granularity Gran, PolicyOf<kind::storage> S, Adapter A, Placement P, Estimator E,
          Trainable T, ScaleFormatOf<G> F, SalientWeights K = NoSalient>
requires StorageOf<S, base_grid_of<G>>
class Parameterization {
 public:
  using grid = G;
  using placement = P;
  using storage = typename S::template bound_to<base_grid_of<G>>;
  using coupling =
      std::conditional_t<has_threshold<G>, Decoupled, typename scale_coupling<P>::type>;
  using salient_policy = K;
  using cells = CellParameters<G, T, F>;
  static constexpr bool trains_adapter = T::adapter && !std::is_empty_v<typename A::state>;
  static constexpr bool trains_weight = trains_adapter || cells::trained > 0;
  /// Ranges of cells are ends of the latent weight, which moves: see pass_end_gradients().
  static constexpr bool ends_move = learns_clips<T> && trains_adapter;
  /// A branch beside the rounding.
  static constexpr bool has_branch =
      adds_after_rounding<P> && !std::is_empty_v<typename A::state>;
  /// Some weights stay off the grid.
  static constexpr bool keeps_salient = K::keeps;
  /// W_hat is levels times scales, plus offsets where there are some: it merges, if the grid has codes
  /// for them.
  static constexpr bool has_levels = !has_branch && !keeps_salient;
  /// The branch can come to an end while it trains (GatedLowRank); then W_hat is that, too.
  static constexpr bool branch_can_vanish =
      has_branch && !keeps_salient &&
      requires(const typename A::state& adapter) { bool{adapter.has_vanished()}; };

  /// A weight of this shape on the given scales, one for each cell of the layout; freeze() is yet
  /// to give it its rows.
  /// @pre shapes and sizes agree (checked by the layer)
  Parameterization(Shape shape, std::span<const QParams> qparams, const QuantOptions& options)
      : shape_(shape),
        layout_(Gran::layout(shape_, options)),
        cells_(qparams, options),
        adapter_(shape_, options),
        salient_(shape_) {
    if constexpr (!A::keeps_base) base_.resize(shape_.rows * storage::bytes_per_row(shape_.cols));
  }

  /// The same with the rows of `weight` (out, in).
  Parameterization(MatrixView<const float> weight, std::span<const QParams> qparams,
                   const QuantOptions& options)
      : Parameterization(weight.shape(), qparams, options) {
    for (std::size_t row = 0; row < weight.rows; ++row) freeze(row, weight.row(row));
  }

  /// The same parameters on another grid with the same base: buffers change hands, and the spans of
  /// parameters() stay valid.
  template <class Other>
  requires std::same_as<base_grid_of<Other>, base_grid_of<G>>
  explicit Parameterization(Parameterization<Other, Gran, S, A, P, E, T, F, K>&& other)
      : shape_(other.shape_),
        layout_(other.layout_),
        base_(std::move(other.base_)),
        cells_(std::move(other.cells_)),
        adapter_(std::move(other.adapter_)),
        salient_(std::move(other.salient_)) {}

  /// Freezes one row of the weight (in) on its scales. Different rows may be frozen by different
  /// threads at once.
  /// @pre weights are finite (checked by the layer)
  void freeze(std::size_t row, std::span<const float> weights) {
    const std::span<float> base = scratch<struct base_slot>(1, shape_.cols).row(0);
    layout_.for_each_segment({row, 0, 1, shape_.cols}, [&](auto, auto col, auto count, auto cell) {
      const QParams used = cells_.used(cell);
      for (std::size_t j = col; j < col + count; ++j) base[j] = placed_base<P, G>(weights[j], used);
      if constexpr (!A::keeps_base)
        storage::encode({base.data() + col, count}, used.zero_point,
                        base_.data() + row * storage::bytes_per_row(shape_.cols), col);
    });
    if constexpr (A::keeps_base) adapter_.set_base(row, base);
  }

  /// What a group of weights shares, anew, one for each cell of the layout. A base in weight units
  /// stays what it is; one in grid units was divided by the old ones.
  void set_qparams(std::span<const QParams> qparams)
    requires(!learns_clips<T>)
  {
    cells_.set(qparams);
  }
  /// Where clips are learned: the ranges of the latent weight, one for each cell of the layout.
  void set_ranges(std::span<const Range> ranges)
    requires learns_clips<T>
  {
    cells_.set_ranges(ranges);
  }

  Shape shape() const { return shape_; }
  const ScaleLayout& layout() const { return layout_; }
  // Masters, which there are none of where clips are learned; used() is there for all.
  // clang-format off
  std::span<const float> scales() const requires(!learns_clips<T>) { return cells_.scales(); }
  std::span<float> scales() requires(!learns_clips<T>) { return cells_.scales(); }
  /// Empty without them.
  std::span<const float> zero_points() const requires(!learns_clips<T>) {
    return cells_.zero_points();
  }
  /// Likewise.
  std::span<const float> offsets() const requires(!learns_clips<T>) { return cells_.offsets(); }
  // clang-format on
  std::size_t cell_bytes() const { return cells_.bytes(); }  // of what cells keep, without gradients
  std::span<const std::byte> base() const { return base_; }  // empty when A keeps the base
  typename A::state& adapter() { return adapter_; }
  const typename A::state& adapter() const { return adapter_; }
  typename K::state& salient() { return salient_; }
  const typename K::state& salient() const { return salient_; }

  /// The trained tensors, adapter first, then "scale" and "zero_point" or "offset", or "clip_high" and
  /// "clip_low" (in layout order).
  Parameters<float> parameters() {
    Parameters<float> all;
    if constexpr (trains_adapter) all = adapter_.parameters();
    for (Parameter<float>& each : cells_.parameters()) all.push_back(std::move(each));
    return all;
  }

  void latent(const Tile& tile, MatrixView<float> z) const {
    decode(tile, z);
    if constexpr (!has_branch) join(adapter_, tile, z);
  }

  /// w may be z itself.
  void dequantize(const Tile& tile, MatrixView<const float> z, MatrixView<float> w) const {
    quantize<true>(tile, z, w);
    if constexpr (has_branch) adapter_.add(tile, w);
    if constexpr (keeps_salient) salient_.put_back(tile, w);
  }

  /// latent() and dequantize() at once, a few rows at a time that stay in the first-level cache.
  /// w may be z itself: for those who need the weight alone.
  void rebuild(const Tile& tile, MatrixView<float> z, MatrixView<float> w) const {
    in_strips<true>(tile, z, w);
  }
  /// The same with the levels (integers for uniform grids) in place of the weight: w without
  /// scales.
  void rebuild_levels(const Tile& tile, MatrixView<float> z, MatrixView<float> q) const
    requires has_levels
  {
    in_strips<false>(tile, z, q);
  }

  /// What the forward pass of every backend reads: the tile of W_hat, or its levels alone.
  void weight(const Tile& tile, MatrixView<float> w) const { rebuild(tile, w, w); }
  void levels(const Tile& tile, MatrixView<float> q) const
    requires has_levels
  {
    rebuild_levels(tile, q, q);
  }
  /// The levels that come out of the rounding, a branch beside it or not.
  void rounded_levels(const Tile& tile, MatrixView<float> q) const {
    latent(tile, q);
    quantize<false>(tile, q, q);
  }

  /// Length of the buffer of gradients that column blocks have in common: one buffer a block, for
  /// all of its tiles, zero before the first. The second form is for blocks of `columns`, the last
  /// of a row perhaps shorter: where no cell of a row reaches into two of them, gradients of cells
  /// are added in place and not to the buffer.
  std::size_t shared_gradients() const { return shared_by_cells() + shared_by_adapter(); }
  std::size_t shared_gradients(std::size_t columns) const {
    const bool apart = layout_.scales.rows == shape_.rows &&
                       (columns % layout_.group_columns == 0 || columns >= shape_.cols);
    return (apart ? 0 : shared_by_cells()) + shared_by_adapter();
  }

  /// Adds the tile's gradients; g holds dL/dW_hat and is left with dL/ddelta.
  /// @param shared  the block's buffer, of either length
  void backward(const Tile& tile, MatrixView<const float> z, MatrixView<float> g,
                std::span<float> shared) {
    if constexpr (keeps_salient) salient_.take_out(tile, g);
    const bool in_place = !shares_cells(shared.size());
    kernel::vectorised([&] {
      layout_.for_each_segment(tile, [&](auto row, auto col, auto count,
                                         auto cell) LRQAT_INLINE_LAMBDA {
        const CellGradient sums = segment_gradient<G, P, E, coupling, cells::trained_shift>(
            count, cells_.used(cell), &z(row - tile.row, col - tile.col),
            &g(row - tile.row, col - tile.col));
        if constexpr (cells::trained > 0) {
          if (in_place)
            add_cell_gradient(cell, sums);
          else
            cells_.add_to(shared, cell, sums);
        }
      });
    });
    if constexpr (trains_adapter)
      adapter_.backward(tile, g, shared.subspan(in_place ? 0 : shared_by_cells()));
  }

  /// Adds one column block's shared gradients to the parameters'; call it in block order.
  void reduce(std::span<const float> shared) {
    const std::size_t of_cells = shares_cells(shared.size()) ? shared_by_cells() : 0;
    if constexpr (cells::trained > 0)
      for (std::size_t i = 0; of_cells > 0 && i < cells_.size(); ++i)
        add_cell_gradient(i, cells_.sums(shared, i));
    if constexpr (trains_adapter) adapter_.reduce(shared.subspan(of_cells));
  }

  /// After the last reduce() of a pass: what the clipped ranges are given goes on to the weights that
  /// are their ends, the first of equal ones that are not salient.
  void pass_end_gradients()
    requires ends_move
  {
    std::vector<Range> left(cells_.size());
    for (std::size_t cell = 0; cell < left.size(); ++cell) left[cell] = cells_.end_gradient(cell);
    AlignedVector<float> z(shape_.cols), g(shape_.cols), shared(shared_by_adapter());
    for (std::size_t row = 0; row < shape_.rows; ++row) {
      const Tile tile{row, 0, 1, shape_.cols};
      latent(tile, {z.data(), 1, z.size()});
      if constexpr (keeps_salient) salient_.take_out(tile, {z.data(), 1, z.size()});
      std::fill(g.begin(), g.end(), 0.0f);
      layout_.for_each_segment(tile, [&](auto, auto col, auto count, auto cell) {
        const Range& range = cells_.range(cell);
        const auto give = [&](float end, float& gradient) {
          const auto first = z.begin() + static_cast<std::ptrdiff_t>(col);
          const auto last = first + static_cast<std::ptrdiff_t>(count);
          const auto at = end == 0.0f ? last : std::find(first, last, end);
          if (at == last) return;
          g[static_cast<std::size_t>(at - z.begin())] += std::exchange(gradient, 0.0f);
        };
        give(range.low, left[cell].low);
        give(range.high, left[cell].high);
      });
      adapter_.backward(tile, {g.data(), 1, g.size()}, shared);
    }
    adapter_.reduce(shared);
  }

  /// What the weights of a cell are made with (CellParameters::used).
  QParams used(std::size_t cell) const { return cells_.used(cell); }
  float used_scale(std::size_t cell) const { return used(cell).scale; }

 private:
  template <Grid OtherG, Granularity OtherGran, PolicyOf<kind::storage> OtherS, Adapter OtherA,
            Placement OtherP, Estimator OtherE, Trainable OtherT, ScaleFormatOf<OtherG> OtherF,
            SalientWeights OtherK>
  requires StorageOf<OtherS, base_grid_of<OtherG>>
  friend class Parameterization;

  /// Brings delta into z, which holds the decoded base.
  template <class Deltas>
  static void join(const Deltas& deltas, const Tile& tile, MatrixView<float> z) {
    if constexpr (joins_delta<P> && !std::is_empty_v<typename A::state>) {
      const auto delta = padded_scratch<struct delta_slot>(tile.rows, tile.cols);
      for (std::size_t i = 0; i < tile.rows; ++i) std::fill_n(delta.row(i).data(), tile.cols, 0.0f);
      deltas.add(tile, delta);
      kernel::vectorised([&] {
        for (std::size_t i = 0; i < tile.rows; ++i)
          kernel::for_each_lane(tile.cols, [to = z.row(i).data(), from = delta.row(i).data()](
                                               std::size_t j) { to[j] = P::join(to[j], from[j]); });
      });
    } else {
      deltas.add(tile, z);
    }
  }

  std::size_t shared_by_cells() const { return cells::trained * cells_.size(); }
  std::size_t shared_by_adapter() const {
    return trains_adapter ? adapter_.shared_gradients() : 0;
  }
  /// Whether a buffer of that size holds gradients of cells.
  bool shares_cells(std::size_t size) const { return size == shared_gradients(); }
  void add_cell_gradient(std::size_t cell, CellGradient sums) {
    cells_.add(cell, sums, E::scale_factor(cell_size(cell), G::level(G::code_max, 0.0f)));
  }

  std::size_t cell_size(std::size_t cell) const {
    const std::size_t first = cell % layout_.scales.cols * layout_.group_columns;
    const std::size_t columns = std::min(layout_.group_columns, shape_.cols - first);
    return layout_.scales.rows == 1 ? shape_.rows * columns : columns;
  }
  // Heights that the register tiles of the products divide well.
  static constexpr std::size_t strip_rows = 14, max_strip_rows = 16;

  template <bool with_scale>
  void in_strips(const Tile& tile, MatrixView<float> z, MatrixView<float> w) const {
    const auto strips = adapter_strips(adapter_, tile);
    for (std::size_t first = 0; first < tile.rows;) {
      const std::size_t left = tile.rows - first, rows = left > max_strip_rows ? strip_rows : left;
      const Tile strip{tile.row + first, tile.col, rows, tile.cols};
      const auto z_strip = z.block(first, 0, rows, tile.cols);
      decode(strip, z_strip);
      const auto w_strip = w.block(first, 0, rows, tile.cols);
      if constexpr (!has_branch) join(strips, strip, z_strip);
      quantize<with_scale>(strip, z_strip, w_strip);
      if constexpr (has_branch) strips.add(strip, w_strip);
      if constexpr (with_scale && keeps_salient) salient_.put_back(strip, w_strip);
      first += rows;
    }
  }

  template <bool with_scale>
  void quantize(const Tile& tile, MatrixView<const float> z, MatrixView<float> w) const {
    kernel::vectorised([&] {
      layout_.for_each_segment(tile, [&](auto row, auto col, auto count,
                                         auto cell) LRQAT_INLINE_LAMBDA {
        const QParams used = cells_.used(cell);
        const float* from = &z(row - tile.row, col - tile.col);
        float* to = &w(row - tile.row, col - tile.col);
        kernel::for_each_lane(count, [=](std::size_t j) {
          const float u = placed_to_grid<P, G>(from[j], used);
          const float level = G::clip(G::round(u), used.zero_point);
          to[j] = with_scale ? weight_of_level<G>(used.scale, level, used.offset) : level;
        });
      });
    });
  }

  void decode(const Tile& tile, MatrixView<float> z) const {
    kernel::vectorised([&] {
      if constexpr (A::keeps_base)
        for (std::size_t i = 0; i < tile.rows; ++i) std::fill_n(z.row(i).data(), tile.cols, 0.0f);
      else if constexpr (!G::has_zero_point || learns_clips<T>)  // reals, without a zero point
        for (std::size_t i = 0; i < tile.rows; ++i)
          storage::decode(base_row(tile.row + i), tile.col, 0.0f, z.row(i).first(tile.cols));
      else
        layout_.for_each_segment(tile, [&](auto row, auto col, auto count,
                                         auto cell) LRQAT_INLINE_LAMBDA {
          storage::decode(base_row(row), col, cells_.used(cell).zero_point,
                          z.row(row - tile.row).subspan(col - tile.col, count));
        });
      if constexpr (ties_base<P>)
        layout_.for_each_segment(tile, [&](auto row, auto col, auto count,
                                           auto cell) LRQAT_INLINE_LAMBDA {
          kernel::for_each_lane(count, [scale = cells_.used(cell).scale,
                                        to = &z(row - tile.row, col - tile.col)](std::size_t j) {
            to[j] = P::live_base(to[j], scale);
          });
        });
    });
  }
  const std::byte* base_row(std::size_t row) const {
    return base_.data() + row * storage::bytes_per_row(shape_.cols);
  }

  Shape shape_;
  ScaleLayout layout_;
  AlignedVector<std::byte> base_;
  cells cells_;
  [[no_unique_address]] typename A::state adapter_;
  [[no_unique_address]] typename K::state salient_;
};

}  // namespace lrqat

#endif  // LRQAT_PARAMETERIZATION_PARAMETERIZATION_HPP
