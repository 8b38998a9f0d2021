// SPDX-License-Identifier: MIT
// adapter/full_rank.hpp: the base itself is trained, as in full QAT (LSQ, EfficientQAT's Block-AP).
#ifndef LRQAT_ADAPTER_FULL_RANK_HPP
#define LRQAT_ADAPTER_FULL_RANK_HPP

#include <lrqat/concept/adapter.hpp>
#include <lrqat/core/aligned.hpp>

#include <algorithm>

namespace lrqat {

/// Holds the whole weight in float32 in place of a storage, and its gradient: 8 bytes a weight
/// before the optimizer. In the weight domain the parameter is W, inside the rounding it is W/s0.
struct FullRank {
  using policy_kind = kind::adapter;
  static constexpr bool keeps_base = true;

  class state {
   public:
    state(Shape weight, const QuantOptions&)
        : shape_(weight), weight_(weight.size()), gradient_(weight.size()) {}

    Parameters<float> parameters() { return {{"weight", Role::weight, weight_, gradient_}}; }

    void set_base(std::size_t row, std::span<const float> values) {
      std::copy(values.begin(), values.end(), weight_.begin() + static_cast<std::ptrdiff_t>(
                                                                    row * shape_.cols));
    }
    void add(const Tile& tile, MatrixView<float> z) const {
      const auto mine = MatrixView<const float>(weight_.data(), shape_.rows, shape_.cols).block(tile);
      for (std::size_t i = 0; i < tile.rows; ++i)
        for (std::size_t j = 0; j < tile.cols; ++j) z(i, j) += mine(i, j);
    }
    std::size_t shared_gradients() const { return 0; }
    void backward(const Tile& tile, MatrixView<const float> grad_z, std::span<float>) {
      const auto mine = MatrixView<float>(gradient_.data(), shape_.rows, shape_.cols).block(tile);
      for (std::size_t i = 0; i < tile.rows; ++i)
        for (std::size_t j = 0; j < tile.cols; ++j) mine(i, j) += grad_z(i, j);
    }
    void reduce(std::span<const float>) {}

   private:
    Shape shape_;
    AlignedVector<float> weight_, gradient_;
  };
};

static_assert(Adapter<FullRank>);

}  // namespace lrqat

#endif  // LRQAT_ADAPTER_FULL_RANK_HPP
