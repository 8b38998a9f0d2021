// SPDX-License-Identifier: MIT
// adapter/gated_low_rank.hpp: a low-rank adapter whose columns fade away, until none is left.
#ifndef LRQAT_ADAPTER_GATED_LOW_RANK_HPP
#define LRQAT_ADAPTER_GATED_LOW_RANK_HPP

#include <lrqat/adapter/detail/factors.hpp>
#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/concept/adapter.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

namespace lrqat {

/// What a step of training asks of the adapter: of `rank` columns the first `kept` count in full,
/// the others times `gate`.
struct RankGate {
  std::size_t rank = 0, kept = 0;
  float gate = 1.0f;
  bool operator==(const RankGate&) const = default;
};

/// QVGen's decay (Huang et al., arXiv 2505.11497): phases of `steps` steps, of which the first has
/// `max_rank` columns and each next one half of them, rounded down; within a phase the gate of
/// those that will go falls from 1 to 0 along half a cosine, so that at the first step of the next
/// phase they would be multiplied by 0. After rank 1 comes 0 for good.
/// @pre steps >= 1 (checked)
inline RankGate rank_gate(std::size_t step, std::size_t max_rank, std::size_t steps) {
  expects(steps > 0, "rank_gate: a phase has at least one step");
  std::size_t rank = max_rank;
  for (; rank > 0 && step >= steps; step -= steps) rank /= 2;
  if (rank == 0) return {0, 0, 0.0f};
  constexpr double pi = 3.14159265358979323846;
  const double angle = pi * static_cast<double>(step) / static_cast<double>(steps);
  return {rank, rank / 2, static_cast<float>((1.0 + std::cos(angle)) / 2)};
}

/// delta = alpha / MaxRank A diag(gates) B with A (out, r), B (r, in), the run-time rank r from
/// MaxRank down to 0. It starts as LowRank<MaxRank>, all gates 1, with LowRank's bits; gates are
/// not trained but set (set_gate). What has faded is cut off by shrink()
/// (initializer/eigen/shrink.hpp) or set_factors(); the tensors of parameters() are then new ones,
/// and an optimizer has to start anew. At rank 0 the layer has the bits of one with NoAdapter, and
/// merges also beside Parallel.
template <std::size_t MaxRank>
struct GatedLowRank {
  static_assert(MaxRank > 0 && MaxRank != dynamic,
                "GatedLowRank<MaxRank>: the rank at the start is a number from 1 on.");
  using policy_kind = kind::adapter;
  static constexpr bool keeps_base = false;

  class state {
   public:
    /// @pre alpha finite (checked)
    state(Shape weight, const QuantOptions& options)
        : shape_(weight), gain_(options.alpha / static_cast<float>(MaxRank)) {
      const typename LowRank<MaxRank>::state start(weight, options);
      set_factors(start.a(), start.b());
    }

    std::size_t rank() const { return rank_; }
    bool has_vanished() const { return rank_ == 0; }
    float gain() const { return gain_; }
    std::span<const float> gates() const { return gate_; }  // (r)
    MatrixView<const float> a() const { return {a_.data(), shape_.rows, rank_}; }
    MatrixView<const float> b() const { return {b_.data(), rank_, shape_.cols}; }

    /// The first `kept` gates become 1, the others `gate`.
    /// @throws Error when kept is more than the rank or gate not within 0 .. 1
    void set_gate(std::size_t kept, float gate) {
      expects(kept <= rank_, "GatedLowRank::set_gate: ", kept, " columns to keep of ", rank_);
      expects(gate >= 0.0f && gate <= 1.0f, "GatedLowRank::set_gate: a gate of ", gate,
              " is outside 0 .. 1");
      std::fill(gate_.begin(), gate_.end(), gate);
      std::fill_n(gate_.begin(), kept, 1.0f);
    }

    /// Goes on with A (out, r) and B (r, in) of any rank up to MaxRank, gates 1, gradients 0.
    /// @throws Error when a shape differs or a number is not finite
    void set_factors(MatrixView<const float> a, MatrixView<const float> b) {
      expects(a.cols <= MaxRank, "GatedLowRank::set_factors: rank ", a.cols, ", at most ", MaxRank);
      detail::expect_factors(a, b, shape_, a.cols);
      AlignedVector<float> new_a(a.rows * a.cols), new_b(b.rows * b.cols);  // a, b may be our own
      detail::copy_factor(a, new_a);
      detail::copy_factor(b, new_b);
      rank_ = a.cols;
      a_ = std::move(new_a);
      b_ = std::move(new_b);
      gate_.assign(rank_, 1.0f);
      grad_a_.assign(a_.size(), 0.0f);
      grad_b_.assign(b_.size(), 0.0f);
    }

    /// "A" and "B"; none at rank 0.
    Parameters<float> parameters() {
      if (rank_ == 0) return {};
      return {{"A", Role::adapter, a_, grad_a_}, {"B", Role::adapter, b_, grad_b_}};
    }

    /// As LowRank's; B is brought together with its gates.
    detail::FactorStrips strips(const Tile& tile) const { return {a(), gated_b(tile), gain_}; }
    void add(const Tile& tile, MatrixView<float> z) const { strips(tile).add(tile, z); }

    std::size_t shared_gradients() const { return a_.size(); }

    /// dA = gain dZ B^T diag(gates), dB = gain diag(gates) A^T dZ; the gain of dA is reduce()'s.
    void backward(const Tile& tile, MatrixView<const float> grad_z, std::span<float> shared) {
      detail::add_factor_gradients(
          tile, a(), gated_b(tile), grad_z, shared,
          {grad_b_.data() + tile.col, rank_, tile.cols, shape_.cols},
          [this](std::size_t k) { return gain_ * gate_[k]; });
    }

    void reduce(std::span<const float> shared) {
      kernel::vectorised([&] { detail::add_times(gain_, shared, grad_a_.data()); });
    }

   private:
    /// diag(gates) B of the tile's columns, until the next on the same thread.
    MatrixView<const float> gated_b(const Tile& tile) const {
      const auto gated = padded_scratch<struct gated_columns_slot>(rank_, tile.cols);
      for (std::size_t k = 0; k < rank_; ++k)
        for (std::size_t j = 0; j < tile.cols; ++j)
          gated(k, j) = gate_[k] * b_[k * shape_.cols + tile.col + j];
      return gated;
    }

    Shape shape_;
    std::size_t rank_ = 0;
    float gain_;
    AlignedVector<float> a_, b_, gate_, grad_a_, grad_b_;
  };
};

static_assert(Adapter<GatedLowRank<32>>);

}  // namespace lrqat

#endif  // LRQAT_ADAPTER_GATED_LOW_RANK_HPP
