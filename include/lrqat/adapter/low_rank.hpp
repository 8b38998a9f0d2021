// SPDX-License-Identifier: MIT
// adapter/low_rank.hpp: delta = alpha / r * A B, the adapter of LR-QAT and LoRA.
#ifndef LRQAT_ADAPTER_LOW_RANK_HPP
#define LRQAT_ADAPTER_LOW_RANK_HPP

#include <lrqat/concept/adapter.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/numeric.hpp>  // fused_multiply_add
#include <lrqat/core/rng.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/multiply.hpp>
#include <lrqat/kernel/transpose.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cmath>

namespace lrqat {

/// A (out, r) starts at zero, B (r, in) uniform in +-1/sqrt(in) (Kaiming with a = sqrt(5)), so
/// that A B = 0 (lr-qat, section 1.8). The product that decides the rounding is one chain of
/// fused multiply-adds, rank index ascending, then z = fma(alpha / r, A B, z): the same bits on
/// every instruction set. LowRank<dynamic> takes the rank from QuantOptions::rank.
template <std::size_t Rank>
struct LowRank {
  static_assert(Rank > 0, "LowRank<Rank>: for rank 0 write NoAdapter.");
  using policy_kind = kind::adapter;
  static constexpr bool keeps_base = false;

  class state {
   public:
    /// @pre alpha finite; the rank at least 1 (checked)
    state(Shape weight, const QuantOptions& options)
        : shape_(weight), rank_(Rank == dynamic ? options.rank : Rank) {
      expects(rank_ > 0, "LowRank<dynamic>: set QuantOptions::rank to 1 or more");
      expects(std::isfinite(options.alpha), "LowRank: alpha is not finite");
      gain_ = options.alpha / static_cast<float>(rank_);
      a_.resize(weight.rows * rank_);
      b_.resize(rank_ * weight.cols);
      grad_a_.resize(a_.size());
      grad_b_.resize(b_.size());
      const CounterRng random(options.seed, options.stream);
      const float bound = 1.0f / std::sqrt(static_cast<float>(weight.cols));
      for (std::size_t i = 0; i < b_.size(); ++i) b_[i] = bound * (2.0f * random.uniform(i) - 1.0f);
    }

    std::size_t rank() const { return rank_; }
    float gain() const { return gain_; }

    Parameters<float> parameters() {
      return {{"A", Role::adapter, a_, grad_a_}, {"B", Role::adapter, b_, grad_b_}};
    }

    void add(const Tile& tile, MatrixView<float> z) const {
      const auto product = scratch<struct product_slot>(tile.rows, tile.cols);
      std::fill_n(product.data, tile.rows * tile.cols, 0.0f);
      kernel::multiply(kernel::left(a_rows(tile)), b_cols(tile), product);
      kernel::vectorised([&] {
        for (std::size_t i = 0; i < tile.rows; ++i)
          kernel::for_each_lane(tile.cols, [gain = gain_, ab = product.row(i).data(),
                                            out = z.row(i).data()](std::size_t j) {
            out[j] = fused_multiply_add(gain, ab[j], out[j]);
          });
      });
    }

    std::size_t shared_gradients() const { return a_.size(); }

    /// dA = gain dZ B^T, dB = gain A^T dZ; the gain of dA is applied by reduce().
    void backward(const Tile& tile, MatrixView<const float> grad_z, std::span<float> shared) {
      const auto b_transposed = scratch<struct transposed_slot>(tile.cols, rank_);
      kernel::transpose(b_cols(tile), b_transposed);
      kernel::multiply(kernel::left(grad_z), b_transposed,
                       {shared.data() + tile.row * rank_, tile.rows, rank_});

      const auto grad_b = scratch<struct grad_b_slot>(rank_, tile.cols);
      std::fill_n(grad_b.data, rank_ * tile.cols, 0.0f);
      kernel::multiply(kernel::left_transposed(a_rows(tile)), grad_z, grad_b);
      for (std::size_t k = 0; k < rank_; ++k) {
        float* sum = grad_b_.data() + k * shape_.cols + tile.col;
        for (std::size_t j = 0; j < tile.cols; ++j) sum[j] += gain_ * grad_b(k, j);
      }
    }

    void reduce(std::span<const float> shared) {
      for (std::size_t i = 0; i < shared.size(); ++i) grad_a_[i] += gain_ * shared[i];
    }

   private:
    MatrixView<const float> a_rows(const Tile& tile) const {
      return {a_.data() + tile.row * rank_, tile.rows, rank_};
    }
    MatrixView<const float> b_cols(const Tile& tile) const {
      return {b_.data() + tile.col, rank_, tile.cols, shape_.cols};
    }

    Shape shape_;
    std::size_t rank_;
    float gain_ = 1.0f;
    AlignedVector<float> a_, b_, grad_a_, grad_b_;
  };
};

static_assert(Adapter<LowRank<32>>);

}  // namespace lrqat

#endif  // LRQAT_ADAPTER_LOW_RANK_HPP
