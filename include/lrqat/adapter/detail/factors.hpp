// SPDX-License-Identifier: MIT
// adapter/detail/factors.hpp: what low-rank adapters do with A and B, tile by tile.
#ifndef LRQAT_ADAPTER_DETAIL_FACTORS_HPP
#define LRQAT_ADAPTER_DETAIL_FACTORS_HPP

#include <lrqat/core/config.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/numeric.hpp>  // fused_multiply_add
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/multiply.hpp>
#include <lrqat/kernel/transpose.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

namespace lrqat::detail {

inline void expect_factors(MatrixView<const float> a, MatrixView<const float> b, Shape weight,
                           std::size_t rank) {
  expects(a.shape() == Shape{weight.rows, rank} && b.shape() == Shape{rank, weight.cols},
          "set_factors: A is (", a.rows, ", ", a.cols, ") and B (", b.rows, ", ", b.cols,
          "), the adapter has A (", weight.rows, ", ", rank, ") and B (", rank, ", ",
          weight.cols, ")");
  for (const auto& [name, factor] : {std::pair{"A", a}, std::pair{"B", b}})
    for (std::size_t i = 0; i < factor.rows; ++i)
      for (std::size_t j = 0; j < factor.cols; ++j)
        expects(std::isfinite(factor(i, j)), "set_factors: ", name, "(", i, ", ", j,
                ") is not finite");
}

inline void copy_factor(MatrixView<const float> from, std::span<float> to) {
  for (std::size_t i = 0; i < from.rows; ++i)
    std::copy_n(from.row(i).data(), from.cols, to.data() + i * from.cols);
}

/// to = fma(factor, from, to).
LRQAT_INLINE void add_times(float factor, std::span<const float> from, float* to) {
  kernel::for_each_lane(from.size(), [=, from = from.data()](std::size_t i) {
    to[i] = fused_multiply_add(factor, from[i], to[i]);
  });
}

/// Adds gain A B to strips of one tile, each a few rows of it in full width.
class FactorStrips {
 public:
  /// @param a  (out, r)    @param b  (r, columns of the tile), for as long as the strips are used
  FactorStrips(MatrixView<const float> a, MatrixView<const float> b, float gain)
      : a_(a), b_(b), gain_(gain) {}

  void add(const Tile& strip, MatrixView<float> z) const {
    if (b_.rows == 0) return;
    const auto product = scratch<struct product_slot>(strip.rows, strip.cols);
    kernel::multiply_into(kernel::left(a_.block(strip.row, 0, strip.rows, a_.cols)), b_, product);
    kernel::vectorised([&] {
      for (std::size_t i = 0; i < strip.rows; ++i)
        add_times(gain_, product.row(i), z.row(i).data());
    });
  }

 private:
  MatrixView<const float> a_, b_;
  float gain_;
};

/// dA without its gain, shared = dZ B^T in the tile's rows, and grad_b(k) += gain_of(k) (A^T dZ)(k).
/// @param b       (r, columns of the tile)    @param shared  (out, r)
/// @param grad_b  (r, columns of the tile)
template <class GainOf>
void add_factor_gradients(const Tile& tile, MatrixView<const float> a, MatrixView<const float> b,
                          MatrixView<const float> grad_z, std::span<float> shared,
                          MatrixView<float> grad_b, const GainOf& gain_of) {
  const std::size_t rank = b.rows;
  if (rank == 0) return;
  const auto b_transposed = padded_scratch<struct transposed_slot>(tile.cols, rank);
  kernel::transpose(b, b_transposed);
  kernel::multiply(kernel::left(grad_z), b_transposed,
                   {shared.data() + tile.row * rank, tile.rows, rank});

  const auto product = padded_scratch<struct grad_b_slot>(rank, tile.cols);
  kernel::multiply_into(kernel::left_transposed(a.block(tile.row, 0, tile.rows, rank)), grad_z,
                        product);
  kernel::vectorised([&] {
    for (std::size_t k = 0; k < rank; ++k)
      add_times(gain_of(k), product.row(k), grad_b.row(k).data());
  });
}

}  // namespace lrqat::detail

#endif  // LRQAT_ADAPTER_DETAIL_FACTORS_HPP
