// SPDX-License-Identifier: MIT
// linear/merged_linear.hpp: what remains of a trained layer: codes and scales.
#ifndef LRQAT_LINEAR_MERGED_LINEAR_HPP
#define LRQAT_LINEAR_MERGED_LINEAR_HPP

#include <lrqat/backend/cpu.hpp>
#include <lrqat/backend/cpu_int8.hpp>
#include <lrqat/backend/few_tokens.hpp>
#include <lrqat/backend/panel_scales.hpp>
#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/scale_layout.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/input/no_input.hpp>
#include <lrqat/input/transformed_input.hpp>
#include <lrqat/kernel/interleaved.hpp>
#include <lrqat/kernel/transpose.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/linear/input_passes.hpp>
#include <lrqat/linear/layer_bytes.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

namespace lrqat {

/// y = Q(T x) W_hat^T (+ bias), W_hat = scale * level(code), plus the offset of the group on grids that
/// have them. Made by QuantLinear::merge(); its forward gives the bits of the trained layer's.
///
/// The codes are kept in b bits each and from the start in the order in which products read them
/// (kernel/interleaved.hpp): nothing is repacked, and there is no second copy. A code that has not
/// been set is some code of the grid.
template <Grid G, InputQuantizer In = NoInput, Backend B = Cpu>
class MergedLinear {
 public:
  using scalar = float;
  using grid = G;
  using input = In;
  using codes_type = kernel::InterleavedCodes<static_cast<unsigned>(G::bits)>;

  /// Copies scales (and zero points and offsets, each empty for grids without) in layout order; the
  /// codes are set afterwards row by row.
  /// @throws Error when a size does not fit the layout or a number is not finite
  MergedLinear(Shape shape, const ScaleLayout& layout, std::span<const float> scales,
               std::span<const float> zero_points, std::span<const float> bias,
               std::span<const float> offsets = {})
      : shape_(shape),
        layout_(layout),
        scale_(scales.begin(), scales.end()),
        zero_point_(zero_points.begin(), zero_points.end()),
        offset_(offsets.begin(), offsets.end()),
        bias_(bias.begin(), bias.end()),
        codes_(codes_type::size(shape)) {
    expects(scale_.size() == layout.size(), "MergedLinear: ", scale_.size(), " scales for ",
            layout.size(), " groups");
    expects(zero_point_.size() == (G::has_zero_point ? scale_.size() : 0),
            "MergedLinear: ", zero_point_.size(), " zero points for ", layout.size(), " groups");
    expects(offset_.size() == (has_offset<G> ? scale_.size() : 0), "MergedLinear: ",
            offset_.size(), " offsets for ", layout.size(), " groups");
    expects(bias_.empty() || bias_.size() == shape.rows, "MergedLinear: the bias has ",
            bias_.size(), " values, out is ", shape.rows);
    expect_finite("scale", scale_);
    expect_finite("zero point", zero_point_);
    expect_finite("offset", offset_);
  }

  std::size_t out_features() const { return shape_.rows; }
  std::size_t in_features() const { return shape_.cols; }
  Shape shape() const { return shape_; }
  const ScaleLayout& layout() const { return layout_; }
  std::span<const float> scales() const { return scale_; }
  std::span<const float> zero_points() const { return zero_point_; }
  std::span<const float> offsets() const { return offset_; }
  std::span<const float> bias() const { return bias_; }

  int code(std::size_t row, std::size_t col) const {
    return static_cast<int>(codes_type::load(panel(row), row % codes_type::rows, col)) +
           G::code_min;
  }
  void set_code(std::size_t row, std::size_t col, int code) {
    codes_type::store(codes_.data() + panel_start(row), row % codes_type::rows, col,
                      static_cast<unsigned>(code - G::code_min));
  }
  /// The 16 rows that `row` is one of, as kernels read them.
  const std::uint32_t* panel(std::size_t row) const { return codes_.data() + panel_start(row); }

  /// x (tokens, in) -> y (tokens, out), overwritten.
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    expects(x.cols == shape_.cols && y.cols == shape_.rows && x.rows == y.rows,
            "MergedLinear::forward: x is (", x.rows, ", ", x.cols, ") and y (", y.rows, ", ",
            y.cols, "), the weight (out, in) is (", shape_.rows, ", ", shape_.cols, ")");
    if constexpr (in_integers)
      B::template forward_codes<In>(*this, x, y);
    else
      forward_floats(quantized_input<In>(x), y);
    add_bias(bias_, y);
  }

  /// The same codes and scales with products in another arithmetic C and, where it is named, with
  /// another input quantizer behind the transform it has. Codes are moved out of a layer that is
  /// about to go, not copied:
  ///
  ///   layer.merge().in<Compute<int8>, Input<UInt<8>, PerToken, IntegerZeroPoint>>()
  ///
  /// @throws Error for Compute<int8> where the sum of a group could leave int32, or a zero point is
  ///         no integer
  template <class C, class Input = In>
  auto in() const& {
    return MergedLinear(*this).template in<C, Input>();
  }
  template <class C, class Input = In>
  auto in() && {
    return MergedLinear<G, typename replace_quantizer<In, Input>::type,
                        typename Cpu::template in<C>>(std::move(*this));
  }

  /// The tile of W_hat, or its levels alone, and the scales: what a backend reads.
  void weight(const Tile& tile, MatrixView<float> w) const { transpose_of<true>(tile, w); }
  void levels(const Tile& tile, MatrixView<float> q) const { transpose_of<false>(tile, q); }
  float used_scale(std::size_t cell) const { return scale_[cell]; }
  /// The same as (tile.cols, tile.rows), which is how they come out of the codes.
  void weight_transposed(const Tile& tile, MatrixView<float> w) const { decode<true>(tile, w); }
  void levels_transposed(const Tile& tile, MatrixView<float> q) const { decode<false>(tile, q); }

  const PanelScales& panel_scales() const requires(std::is_same_v<B, CpuInt8>) {
    return panel_scales_;
  }

  LayerBytes bytes() const {
    LayerBytes bytes;
    bytes.base = codes_.size() * sizeof(std::uint32_t);
    bytes.scales = (scale_.size() + zero_point_.size() + offset_.size()) * sizeof(float);
    if constexpr (in_integers) bytes.scales += panel_scales_.bytes();
    bytes.bias = bias_.size() * sizeof(float);
    return bytes;
  }

 private:
  template <Grid, InputQuantizer, Backend>
  friend class MergedLinear;

  static constexpr bool in_integers = std::is_same_v<B, CpuInt8>;
  static_assert(!in_integers || IntegerInput<In>,
                "MergedLinear: Compute<int8> multiplies codes of activations. Write "
                "in<Compute<int8>, Input<UInt<8>, PerToken, IntegerZeroPoint>>().");
  static_assert(!in_integers || !IntegerInput<In> || !has_offset<G>,
                "MergedLinear: Compute<int8> multiplies codes, and weights with a real offset are "
                "not codes times scales. Train on a grid with an integer zero point, as UInt<4>, or "
                "leave the product in float.");
  static_assert(!in_integers || !IntegerInput<In> || has_offset<G> || IntegerGrid<G>,
                "MergedLinear: Compute<int8> multiplies codes, so that level(code, z) must be "
                "code - z. Where it is, say so in the grid: static constexpr bool "
                "levels_are_integers = true.");

  template <class OtherIn, class OtherB>
  explicit MergedLinear(MergedLinear<G, OtherIn, OtherB>&& other)
      : shape_(other.shape_),
        layout_(other.layout_),
        scale_(std::move(other.scale_)),
        zero_point_(std::move(other.zero_point_)),
        offset_(std::move(other.offset_)),
        bias_(std::move(other.bias_)),
        codes_(std::move(other.codes_)) {
    if constexpr (in_integers) {
      expect_integer_sums();
      panel_scales_ = PanelScales(layout_, shape_.rows, scale_, zero_point_,
                                  CpuInt8::level_offset<codes_type, G>);
    }
  }

  static void expect_finite(const char* what, std::span<const float> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      expects(std::isfinite(values[i]), "MergedLinear: ", what, " ", i, " is not finite");
  }

  void expect_integer_sums() const {
    float most = std::max(std::fabs(static_cast<float>(G::code_min)),
                          std::fabs(static_cast<float>(G::code_max)));
    for (std::size_t i = 0; i < zero_point_.size(); ++i) {
      const float zero = zero_point_[i];
      expects(std::floor(zero) == zero && std::fabs(zero) <= 0x1p16f,
              "MergedLinear::in: zero point ", i, " is ", zero,
              ", Compute<int8> needs an integer up to 65536");
      most = std::max(
          {most, std::fabs(G::level(G::code_min, zero)), std::fabs(G::level(G::code_max, zero))});
    }
    const std::size_t group = std::min(layout_.group_columns, shape_.cols);
    expects(CpuInt8::sums_fit(group, static_cast<double>(most)), "MergedLinear::in: ", group,
            " inputs share a scale and levels go up to ", most,
            ", whose sums could leave int32; Compute<int8> needs smaller groups");
  }

  void forward_floats(MatrixView<const float> x, MatrixView<float> y) const {
    if constexpr (std::is_same_v<B, Cpu> && has_few_token_kernel<G>)
      if (multiply_few_tokens(*this, x, y)) return;
    B::forward(*this, x, y);
  }

  std::size_t panel_start(std::size_t row) const {
    return row / codes_type::rows * codes_type::words_per_panel(shape_.cols);
  }

  template <bool with_scale>
  void transpose_of(const Tile& tile, MatrixView<float> w) const {
    const auto transposed = padded_scratch<struct merged_tile_slot>(tile.cols, tile.rows);
    decode<with_scale>(tile, transposed);
    kernel::transpose(transposed, w);
  }

  /// w (tile.cols, tile.rows), a panel at a time.
  template <bool with_scale>
  void decode(const Tile& tile, MatrixView<float> w) const {
    kernel::vectorised([&] {
      const std::size_t end = tile.row + tile.rows;
      for (std::size_t row = tile.row; row < end;) {
        const std::size_t next = std::min(end, (row / codes_type::rows + 1) * codes_type::rows);
        decode_rows<with_scale>(tile, row, next - row, w);
        row = next;
      }
    });
  }

  /// Up to 16 rows of a tile that lie in one panel.
  template <bool with_scale>
  LRQAT_INLINE void decode_rows(const Tile& tile, std::size_t row, std::size_t rows,
                                MatrixView<float> w) const {
    constexpr std::size_t lanes = codes_type::rows;
    const std::size_t first_lane = row % lanes, end = tile.col + tile.cols;
    const std::uint32_t* const words = panel(row);
    for (std::size_t col = tile.col; col < end;) {
      const std::size_t next =
          std::min(end, (col / layout_.group_columns + 1) * layout_.group_columns);
      float scale[lanes] = {}, zero[lanes] = {}, offset[lanes] = {}, column[lanes];
      for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t cell = layout_.index(row + i, col);
        scale[first_lane + i] = scale_[cell];
        if constexpr (G::has_zero_point) zero[first_lane + i] = zero_point_[cell];
        if constexpr (has_offset<G>) offset[first_lane + i] = offset_[cell];
      }
      const auto value = [&](std::size_t r, unsigned field) LRQAT_INLINE_LAMBDA {
        const float level = G::level(static_cast<int>(field) + G::code_min, zero[r]);
        return with_scale ? weight_of_level<G>(scale[r], level, offset[r]) : level;
      };
      float* to = w.data + (col - tile.col) * w.stride + (row - tile.row);
      if (rows == lanes) {
        codes_type::for_each(
            words, col, next - col,
            [&](std::size_t input, std::size_t r, unsigned field)
                LRQAT_INLINE_LAMBDA { to[(input - col) * w.stride + r] = value(r, field); });
      } else {
        for (std::size_t input = col; input < next; ++input, to += w.stride) {
          codes_type::for_each(words, input, 1,
                               [&](std::size_t, std::size_t r, unsigned field)
                                   LRQAT_INLINE_LAMBDA { column[r] = value(r, field); });
          std::copy_n(column + first_lane, rows, to);
        }
      }
      col = next;
    }
  }

  Shape shape_;
  ScaleLayout layout_;
  AlignedVector<float> scale_, zero_point_, offset_, bias_;
  AlignedVector<std::uint32_t> codes_;
  struct Nothing {};
  [[no_unique_address]] std::conditional_t<in_integers, PanelScales, Nothing> panel_scales_;
};

}  // namespace lrqat

#endif  // LRQAT_LINEAR_MERGED_LINEAR_HPP
