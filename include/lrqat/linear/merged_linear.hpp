// SPDX-License-Identifier: MIT
// linear/merged_linear.hpp: what remains of a trained layer: codes and scales.
#ifndef LRQAT_LINEAR_MERGED_LINEAR_HPP
#define LRQAT_LINEAR_MERGED_LINEAR_HPP

#include <lrqat/backend/cpu.hpp>
#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/scale_layout.hpp>
#include <lrqat/input/no_input.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/linear/input_passes.hpp>
#include <lrqat/linear/layer_bytes.hpp>
#include <lrqat/storage/packed.hpp>

#include <cmath>

namespace lrqat {

/// y = x W_hat^T (+ bias), W_hat = scale * level(code), codes packed in b bits each. Made by
/// QuantLinear::merge(); its forward gives the bits of the trained layer's.
template <Grid G, InputQuantizer In = NoInput, Backend B = Cpu>
class MergedLinear {
 public:
  using scalar = float;
  using grid = G;
  using storage = Packed::bound_to<G>;

  /// Copies scales (and zero points, empty for grids without one) in layout order; the codes are
  /// set afterwards row by row.
  /// @throws Error when a size does not fit the layout or a scale is not finite
  MergedLinear(Shape shape, const ScaleLayout& layout, std::span<const float> scales,
               std::span<const float> zero_points, std::span<const float> bias)
      : shape_(shape),
        layout_(layout),
        scale_(scales.begin(), scales.end()),
        zero_point_(zero_points.begin(), zero_points.end()),
        bias_(bias.begin(), bias.end()),
        codes_(shape.rows * storage::bytes_per_row(shape.cols)) {
    expects(scale_.size() == layout.size(), "MergedLinear: ", scale_.size(), " scales for ",
            layout.size(), " groups");
    expects(zero_point_.size() == (G::has_zero_point ? scale_.size() : 0),
            "MergedLinear: ", zero_point_.size(), " zero points for ", layout.size(), " groups");
    expects(bias_.empty() || bias_.size() == shape.rows, "MergedLinear: the bias has ",
            bias_.size(), " values, out is ", shape.rows);
    for (std::size_t i = 0; i < scale_.size(); ++i)
      expects(std::isfinite(scale_[i]), "MergedLinear: scale ", i, " is not finite");
  }

  std::size_t out_features() const { return shape_.rows; }
  std::size_t in_features() const { return shape_.cols; }
  Shape shape() const { return shape_; }
  const ScaleLayout& layout() const { return layout_; }
  std::span<const float> scales() const { return scale_; }
  std::span<const float> zero_points() const { return zero_point_; }
  std::span<const float> bias() const { return bias_; }
  std::span<const std::byte> packed_codes() const { return codes_; }  // bytes_per_row a row

  int code(std::size_t row, std::size_t col) const {
    return storage::load(codes_.data() + row * storage::bytes_per_row(shape_.cols), col);
  }
  void set_code(std::size_t row, std::size_t col, int code) {
    storage::store(codes_.data() + row * storage::bytes_per_row(shape_.cols), col, code);
  }

  /// x (tokens, in) -> y (tokens, out), overwritten.
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    expects(x.cols == shape_.cols && y.cols == shape_.rows && x.rows == y.rows,
            "MergedLinear::forward: x is (", x.rows, ", ", x.cols, ") and y (", y.rows, ", ",
            y.cols, "), the weight (out, in) is (", shape_.rows, ", ", shape_.cols, ")");
    B::forward(*this, quantized_input<In>(x), y);
    add_bias(bias_, y);
  }

  /// The tile of W_hat, or its levels alone, and the scales: what a backend reads.
  void weight(const Tile& tile, MatrixView<float> w) const { decode<true>(tile, w); }
  void levels(const Tile& tile, MatrixView<float> q) const { decode<false>(tile, q); }
  float used_scale(std::size_t cell) const { return scale_[cell]; }

  LayerBytes bytes() const {
    LayerBytes bytes;
    bytes.base = codes_.size();
    bytes.scales = (scale_.size() + zero_point_.size()) * sizeof(float);
    bytes.bias = bias_.size() * sizeof(float);
    return bytes;
  }

 private:
  template <bool with_scale>
  void decode(const Tile& tile, MatrixView<float> w) const {
    kernel::vectorised([&] {
      layout_.for_each_segment(tile, [&](auto row, auto col, auto count,
                                         auto cell) LRQAT_INLINE_LAMBDA {
        const float zero = G::has_zero_point ? zero_point_[cell] : 0.0f, scale = scale_[cell];
        const auto segment = w.row(row - tile.row).subspan(col - tile.col, count);
        storage::decode(codes_.data() + row * storage::bytes_per_row(shape_.cols), col, zero,
                        segment);
        if constexpr (with_scale)
          kernel::for_each_lane(
              count, [=, level = segment.data()](std::size_t j) { level[j] = scale * level[j]; });
      });
    });
  }

  Shape shape_;
  ScaleLayout layout_;
  AlignedVector<float> scale_, zero_point_, bias_;
  AlignedVector<std::byte> codes_;
};

}  // namespace lrqat

#endif  // LRQAT_LINEAR_MERGED_LINEAR_HPP
