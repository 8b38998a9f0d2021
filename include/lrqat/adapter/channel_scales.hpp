// SPDX-License-Identifier: MIT
// adapter/channel_scales.hpp: a frozen weight whose rows and columns are scaled by trained numbers.
#ifndef LRQAT_ADAPTER_CHANNEL_SCALES_HPP
#define LRQAT_ADAPTER_CHANNEL_SCALES_HPP

#include <lrqat/concept/adapter.hpp>
#include <lrqat/core/aligned.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace lrqat {

/// W(i, j) columns(j) rows(i), W in float32 in place of a storage, both vectors 1 at first: one side of
/// the equivalent transforms of OmniQuant (Shao et al., arXiv 2308.13137, section 3.3). What undoes
/// them stands in neighbouring layers, so whoever trains them ties these together
/// (train/equivalent_transform.hpp); trained freely they change the model's function, as a QAT of
/// out + in numbers.
struct ChannelScales {
  using policy_kind = kind::adapter;
  static constexpr bool keeps_base = true;

  class state {
   public:
    state(Shape weight, const QuantOptions&)
        : shape_(weight),
          base_(weight.size()),
          rows_(weight.rows, 1.0f),
          rows_gradient_(weight.rows),
          columns_(weight.cols, 1.0f),
          columns_gradient_(weight.cols) {}

    /// "rows" (out) and "columns" (in).
    Parameters<float> parameters() {
      return {{"rows", Role::transform, rows_, rows_gradient_},
              {"columns", Role::transform, columns_, columns_gradient_}};
    }
    std::size_t frozen_bytes() const { return base_.size() * sizeof(float); }
    void set_base(std::size_t row, std::span<const float> values) {
      std::copy(values.begin(), values.end(), base_.data() + row * shape_.cols);
    }
    /// W itself (out, in).
    MatrixView<const float> base() const { return {base_.data(), shape_.rows, shape_.cols}; }

    /// @pre z is 0, as where an adapter keeps the base: the bits do not depend on fused sums then
    void add(const Tile& tile, MatrixView<float> z) const {
      const MatrixView<const float> w = base().block(tile);
      for (std::size_t i = 0; i < tile.rows; ++i)
        for (std::size_t j = 0; j < tile.cols; ++j)
          z(i, j) += w(i, j) * columns_[tile.col + j] * rows_[tile.row + i];
    }

    std::size_t shared_gradients() const { return shape_.rows; }
    void backward(const Tile& tile, MatrixView<const float> grad_z, std::span<float> shared) {
      const MatrixView<const float> w = base().block(tile);
      for (std::size_t i = 0; i < tile.rows; ++i) {
        const float row = rows_[tile.row + i];
        float sum = 0.0f;
        for (std::size_t j = 0; j < tile.cols; ++j) {
          const float each = grad_z(i, j) * w(i, j);
          columns_gradient_[tile.col + j] += each * row;
          sum += each * columns_[tile.col + j];
        }
        shared[tile.row + i] += sum;
      }
    }
    void reduce(std::span<const float> shared) {
      for (std::size_t i = 0; i < shape_.rows; ++i) rows_gradient_[i] += shared[i];
    }

   private:
    Shape shape_;
    AlignedVector<float> base_, rows_, rows_gradient_, columns_, columns_gradient_;
  };
};

static_assert(Adapter<ChannelScales>);

}  // namespace lrqat

#endif  // LRQAT_ADAPTER_CHANNEL_SCALES_HPP
