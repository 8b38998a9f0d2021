// SPDX-License-Identifier: MIT
// adapter/low_rank.hpp: delta = alpha / r * A B, the adapter of LR-QAT and LoRA.
#ifndef LRQAT_ADAPTER_LOW_RANK_HPP
#define LRQAT_ADAPTER_LOW_RANK_HPP

#include <lrqat/adapter/detail/factors.hpp>
#include <lrqat/concept/adapter.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/rng.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

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
    MatrixView<const float> a() const { return {a_.data(), shape_.rows, rank_}; }
    MatrixView<const float> b() const { return {b_.data(), rank_, shape_.cols}; }

    /// Starts from given factors, A (out, r) and B (r, in), instead: delta = gain() A B, so that
    /// QuantOptions::alpha equal to the rank takes the product as it is.
    /// @throws Error when a shape differs or a number is not finite
    void set_factors(MatrixView<const float> a, MatrixView<const float> b) {
      detail::expect_factors(a, b, shape_, rank_);
      detail::copy_factor(a, a_);
      detail::copy_factor(b, b_);
    }

    Parameters<float> parameters() {
      return {{"A", Role::adapter, a_, grad_a_}, {"B", Role::adapter, b_, grad_b_}};
    }

    /// Adds delta to strips of one tile; the tile's columns of B were brought together once. Until
    /// the next of its kind on the same thread.
    detail::FactorStrips strips(const Tile& tile) const {
      const auto from = b_cols(tile);
      const auto b = padded_scratch<struct columns_slot>(rank_, tile.cols);
      for (std::size_t k = 0; k < rank_; ++k)
        std::copy_n(from.row(k).data(), tile.cols, b.row(k).data());
      return {a(), b, gain_};
    }

    void add(const Tile& tile, MatrixView<float> z) const { strips(tile).add(tile, z); }

    std::size_t shared_gradients() const { return a_.size(); }

    /// dA = gain dZ B^T, dB = gain A^T dZ; the gain of dA is applied by reduce().
    void backward(const Tile& tile, MatrixView<const float> grad_z, std::span<float> shared) {
      detail::add_factor_gradients(
          tile, a(), b_cols(tile), grad_z, shared,
          {grad_b_.data() + tile.col, rank_, tile.cols, shape_.cols},
          [gain = gain_](std::size_t) { return gain; });
    }

    void reduce(std::span<const float> shared) {
      kernel::vectorised([&] { detail::add_times(gain_, shared, grad_a_.data()); });
    }

   private:
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
