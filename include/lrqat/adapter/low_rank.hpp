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
#include <span>
#include <utility>

namespace lrqat {

namespace detail {

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

}  // namespace detail

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

    /// Adds delta to strips of one tile, each a few rows of it in full width; the tile's columns of
    /// B were brought together once. Until the next of its kind on the same thread.
    class Strips {
     public:
      void add(const Tile& strip, MatrixView<float> z) const {
        const auto product = scratch<struct product_slot>(strip.rows, strip.cols);
        kernel::multiply_into(kernel::left(state_->a_rows(strip)), b_, product);
        kernel::vectorised([&] {
          for (std::size_t i = 0; i < strip.rows; ++i)
            kernel::for_each_lane(strip.cols, [gain = state_->gain_, ab = product.row(i).data(),
                                               out = z.row(i).data()](std::size_t j) {
              out[j] = fused_multiply_add(gain, ab[j], out[j]);
            });
        });
      }

     private:
      friend state;
      Strips(const state& all, MatrixView<const float> b) : state_(&all), b_(b) {}
      const state* state_;
      MatrixView<const float> b_;
    };

    Strips strips(const Tile& tile) const {
      const auto from = b_cols(tile);
      const auto b = padded_scratch<struct columns_slot>(rank_, tile.cols);
      for (std::size_t k = 0; k < rank_; ++k)
        std::copy_n(from.row(k).data(), tile.cols, b.row(k).data());
      return {*this, b};
    }

    void add(const Tile& tile, MatrixView<float> z) const { strips(tile).add(tile, z); }

    std::size_t shared_gradients() const { return a_.size(); }

    /// dA = gain dZ B^T, dB = gain A^T dZ; the gain of dA is applied by reduce().
    void backward(const Tile& tile, MatrixView<const float> grad_z, std::span<float> shared) {
      const auto b_transposed = padded_scratch<struct transposed_slot>(tile.cols, rank_);
      kernel::transpose(b_cols(tile), b_transposed);
      kernel::multiply(kernel::left(grad_z), b_transposed,
                       {shared.data() + tile.row * rank_, tile.rows, rank_});

      const auto grad_b = padded_scratch<struct grad_b_slot>(rank_, tile.cols);
      kernel::multiply_into(kernel::left_transposed(a_rows(tile)), grad_z, grad_b);
      kernel::vectorised([&] {
        for (std::size_t k = 0; k < rank_; ++k)
          add_with_gain(grad_b.row(k), grad_b_.data() + k * shape_.cols + tile.col);
      });
    }

    void reduce(std::span<const float> shared) {
      kernel::vectorised([&] { add_with_gain(shared, grad_a_.data()); });
    }

   private:
    LRQAT_INLINE void add_with_gain(std::span<const float> values, float* sums) const {
      kernel::for_each_lane(values.size(),
                            [gain = gain_, from = values.data(), sums](std::size_t i) {
                              sums[i] = fused_multiply_add(gain, from[i], sums[i]);
                            });
    }
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
