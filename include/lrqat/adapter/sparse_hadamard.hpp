// SPDX-License-Identifier: MIT
// adapter/sparse_hadamard.hpp: delta = alpha F H^-1 with a sparse F, the adapter of QWHA.
#ifndef LRQAT_ADAPTER_SPARSE_HADAMARD_HPP
#define LRQAT_ADAPTER_SPARSE_HADAMARD_HPP

#include <lrqat/concept/adapter.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/numeric.hpp>  // fused_multiply_add
#include <lrqat/core/rng.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/clear.hpp>
#include <lrqat/kernel/hadamard_order.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/kernel/walsh_hadamard.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

namespace lrqat {

/// A matrix (out, in) that is zero but for some elements of each row.
struct SparseRows {
  std::vector<std::size_t> first;      // (out + 1): row i has elements [first[i], first[i + 1])
  std::vector<std::uint32_t> columns;  // ascending in each row
  std::vector<float> values;
};

/// delta = alpha F H^T / sqrt(n), for H of kernel::hadamard_order(in), n rows; where n < in, in / n
/// times along the diagonal. F (out, in) is zero but for Rank (in + out) trained coefficients, as
/// many as LowRank<Rank> trains, at a set of places that stays: delta has few parameters and a high
/// rank (QWHA, arXiv 2509.17428). H^T / sqrt(n) is orthogonal, so gradients of coefficients are as
/// large as those of delta; the published 4000 / sqrt(out) F H^-1 is alpha = 0.98 at in = out =
/// 4096. SparseHadamard<dynamic> takes Rank from QuantOptions::rank.
///
/// Coefficients start at zero. Their places follow from the weight's shape, rank, seed and stream:
/// the same number in each row, one at random in each of as many stretches. set_coefficients() has
/// others. The name of the parameter ends in a digest of the places, so that a checkpoint of other
/// places is refused; a run that resumes makes its layers as it did at first.
///
/// The sums that decide a rounding have one order: of coefficients in a block of up to 256 columns,
/// then of the fast transform, then z = fma(alpha / sqrt(n), sum, z). A tile that cuts a block
/// computes all of it.
template <std::size_t Rank>
struct SparseHadamard {
  static_assert(Rank > 0, "SparseHadamard<Rank>: for rank 0 write NoAdapter.");
  using policy_kind = kind::adapter;
  static constexpr bool keeps_base = false;

  class state {
   public:
    /// @pre alpha finite; Rank (in + out) coefficients, at least 1 and at most out in (checked)
    state(Shape weight, const QuantOptions& options)
        : shape_(weight), order_(kernel::hadamard_order(weight.cols)), alpha_(options.alpha) {
      const std::size_t rank = Rank == dynamic ? options.rank : Rank;
      expects(rank > 0, "SparseHadamard<dynamic>: set QuantOptions::rank to 1 or more");
      expects(std::isfinite(alpha_), "SparseHadamard: alpha is not finite");
      expects(rank <= weight.size() / (weight.rows + weight.cols), "SparseHadamard: rank ", rank,
              " stands for ", rank, " (in + out) coefficients, more than the weight (", weight.rows,
              ", ", weight.cols, ") has elements; lower the rank");
      gain_ = static_cast<float>(static_cast<double>(alpha_) /
                                 std::sqrt(static_cast<double>(order_.size())));
      const std::size_t count = rank * (weight.rows + weight.cols);
      coefficients_.resize(count);
      gradient_.resize(count);
      spread_places(CounterRng(options.seed, options.stream));
      make_signs();
    }

    /// The length of H.
    kernel::HadamardOrder order() const { return order_; }
    std::size_t count() const { return coefficients_.size(); }
    std::span<const float> coefficients() const { return coefficients_; }
    /// Where coefficient e of row i is: e in [first(i), first(i + 1)), at columns()[e] of F.
    std::size_t first(std::size_t row) const { return first_[row]; }
    std::span<const std::uint32_t> columns() const { return columns_; }

    /// Makes delta = F H^T / sqrt(n), with the places of `f` for good. Before the optimizer is
    /// made. Errors: another shape or count; columns that do not ascend; values that are not
    /// finite, or not zero where alpha is.
    void set_coefficients(const SparseRows& f) {
      expects(f.first.size() == shape_.rows + 1 && f.first.front() == 0 &&
                  f.first.back() == count() && f.columns.size() == count() &&
                  f.values.size() == count() && std::is_sorted(f.first.begin(), f.first.end()),
              "SparseHadamard::set_coefficients: F is not ", count(), " elements in ", shape_.rows,
              " rows");
      for (std::size_t i = 0; i < shape_.rows; ++i)
        for (std::size_t e = f.first[i]; e < f.first[i + 1]; ++e) {
          expects(
              f.columns[e] < shape_.cols && (e == f.first[i] || f.columns[e - 1] < f.columns[e]),
              "SparseHadamard::set_coefficients: columns of row ", i,
              " do not ascend below in = ", shape_.cols);
          expects(std::isfinite(f.values[e]) && (f.values[e] == 0 || alpha_ != 0),
                  "SparseHadamard::set_coefficients: no coefficient gives row ", i, " the value ",
                  f.values[e], " with alpha = ", alpha_);
        }
      first_ = f.first;
      columns_ = f.columns;
      for (std::size_t e = 0; e < count(); ++e)
        coefficients_[e] = f.values[e] == 0 ? 0.0f : f.values[e] / alpha_;
    }

    /// "coefficients@" and eight hexadecimal digits that stand for the places.
    Parameters<float> parameters() {
      return {{"coefficients@" + digest(), Role::adapter, coefficients_, gradient_}};
    }
    /// What is kept beside the parameters: the places, and the signs of H between blocks.
    std::size_t frozen_bytes() const {
      return first_.size() * sizeof(first_[0]) + columns_.size() * sizeof(columns_[0]) +
             signs_.size() * sizeof(signs_[0]);
    }

    void add(const Tile& tile, MatrixView<float> z) const {
      const Blocks blocks = blocks_of(tile);
      const auto delta = scratch<struct delta_slot>(1, blocks.columns);
      for (std::size_t i = 0; i < tile.rows; ++i) {
        kernel::clear(delta);
        for_each_coefficient(tile.row + i, blocks, [&](std::size_t e, std::size_t at, float sign) {
          delta.data[at] += sign * coefficients_[e];  // the product is exact
        });
        kernel::walsh_hadamard(delta, block_);
        kernel::vectorised([&] {
          kernel::for_each_lane(
              tile.cols, [gain = gain_, from = delta.data + blocks.before, to = z.row(i).data()](
                             std::size_t j) { to[j] = fused_multiply_add(gain, from[j], to[j]); });
        });
      }
    }

    /// Every coefficient of a row reaches all of its columns.
    std::size_t shared_gradients() const { return count(); }

    /// dF = alpha dZ H / sqrt(n) at the places; the factor is applied by reduce().
    void backward(const Tile& tile, MatrixView<const float> grad_z, std::span<float> shared) {
      const Blocks blocks = blocks_of(tile);
      const auto spectrum = scratch<struct spectrum_slot>(1, blocks.columns);
      for (std::size_t i = 0; i < tile.rows; ++i) {
        kernel::clear(spectrum);
        std::copy_n(grad_z.row(i).data(), tile.cols, spectrum.data + blocks.before);
        kernel::walsh_hadamard(spectrum, block_);
        for_each_coefficient(tile.row + i, blocks, [&](std::size_t e, std::size_t at, float sign) {
          shared[e] += sign * spectrum.data[at];
        });
      }
    }

    void reduce(std::span<const float> shared) {
      kernel::vectorised([&] {
        kernel::for_each_lane(shared.size(), [gain = gain_, from = shared.data(),
                                              sums = gradient_.data()](std::size_t e) {
          sums[e] = fused_multiply_add(gain, from[e], sums[e]);
        });
      });
    }

   private:
    /// The whole blocks of block_ columns that hold a tile's.
    struct Blocks {
      std::size_t first, columns;
      std::size_t before;  // columns of the first block that the tile leaves out
    };
    Blocks blocks_of(const Tile& tile) const {
      const std::size_t first = tile.col / block_ * block_, before = tile.col - first;
      return {first, (before + tile.cols + block_ - 1) / block_ * block_, before};
    }

    /// visit(e, at, sign): coefficient e of the row, added with `sign` at `at` of the blocks,
    /// before the transform of each, is delta of the row. Blocks ascend, in each of them the
    /// coefficients.
    template <class Visit>
    void for_each_coefficient(std::size_t row, const Blocks& blocks, Visit visit) const {
      const std::size_t n = order_.size(), side = n / block_;
      const int shift = std::countr_zero(block_);
      for (std::size_t at = 0; at < blocks.columns; at += block_) {
        const std::size_t within = (blocks.first + at) % n, start = blocks.first + at - within;
        const float* const signs = signs_.data() + within / block_ * side;
        const auto begin = columns_.begin(), of_row = begin + difference(first_[row]),
                   end_of_row = begin + difference(first_[row + 1]);
        const auto low = std::lower_bound(of_row, end_of_row, start);
        for (auto each = low; each != end_of_row && *each < start + n; ++each) {
          const std::size_t column = *each - start;
          visit(static_cast<std::size_t>(each - begin), at + (column & (block_ - 1)),
                signs[column >> shift]);
        }
      }
    }
    static std::ptrdiff_t difference(std::size_t n) { return static_cast<std::ptrdiff_t>(n); }

    void spread_places(const CounterRng& random) {
      const std::size_t rows = shape_.rows, in = shape_.cols;
      first_.resize(rows + 1);
      columns_.resize(count());
      for (std::size_t i = 0; i < rows; ++i) {
        first_[i + 1] = count() * (i + 1) / rows;
        const std::size_t own = first_[i + 1] - first_[i];
        for (std::size_t k = 0; k < own; ++k) {
          const std::size_t from = in * k / own, to = in * (k + 1) / own, e = first_[i] + k;
          columns_[e] = static_cast<std::uint32_t>(from) +
                        random.below(static_cast<std::uint32_t>(to - from), e);
        }
      }
    }

    /// H is (n / block_, n / block_) signs times Sylvester's matrix of block_: blocks of an eighth
    /// of a row, as backends cut it, from 32 to 256.
    void make_signs() {
      const std::size_t most = std::clamp<std::size_t>(shape_.cols / 8, 32, 256);
      block_ = std::min(order_.sylvester, std::bit_floor(most));
      const std::size_t side = order_.size() / block_;
      const kernel::HadamardOrder of_blocks{order_.paley, order_.sylvester / block_};
      signs_.resize(side * side);
      for (std::size_t i = 0; i < side; ++i)
        for (std::size_t j = 0; j < side; ++j)
          signs_[i * side + j] = static_cast<float>(kernel::hadamard_entry(of_blocks, i, j));
    }

    /// FNV-1a over what first_ and columns_ hold.
    std::string digest() const {
      std::uint32_t hash = 2166136261u;
      const auto mix = [&hash](std::uint64_t word) {
        for (int byte = 0; byte < 8; ++byte, word >>= 8)
          hash = (hash ^ static_cast<std::uint32_t>(word & 0xFFu)) * 16777619u;
      };
      for (const std::size_t first : first_) mix(first);
      for (const std::uint32_t column : columns_) mix(column);
      std::string digits;
      for (int shift = 28; shift >= 0; shift -= 4)
        digits += "0123456789abcdef"[hash >> shift & 15u];
      return digits;
    }

    Shape shape_;
    kernel::HadamardOrder order_;
    float alpha_, gain_ = 1.0f;
    std::size_t block_ = 1;
    std::vector<std::size_t> first_;
    std::vector<std::uint32_t> columns_;
    std::vector<float> signs_;
    AlignedVector<float> coefficients_, gradient_;
  };
};

static_assert(Adapter<SparseHadamard<32>>);

}  // namespace lrqat

#endif  // LRQAT_ADAPTER_SPARSE_HADAMARD_HPP
