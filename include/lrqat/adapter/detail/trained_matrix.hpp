// SPDX-License-Identifier: MIT
// adapter/detail/trained_matrix.hpp: one trained number for each weight.
#ifndef LRQAT_ADAPTER_DETAIL_TRAINED_MATRIX_HPP
#define LRQAT_ADAPTER_DETAIL_TRAINED_MATRIX_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/matrix_view.hpp>

#include <cstddef>
#include <span>

namespace lrqat::detail {

/// What FullRank and FullRankDelta have in common: values (out, in), zero at first, and gradients.
class TrainedMatrix {
 public:
  explicit TrainedMatrix(Shape weight)
      : shape_(weight), values_(weight.size()), gradient_(weight.size()) {}

  void add(const Tile& tile, MatrixView<float> z) const {
    const auto mine = MatrixView<const float>(values_.data(), shape_.rows, shape_.cols).block(tile);
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

 protected:
  Shape shape_;
  AlignedVector<float> values_, gradient_;
};

}  // namespace lrqat::detail

#endif  // LRQAT_ADAPTER_DETAIL_TRAINED_MATRIX_HPP
