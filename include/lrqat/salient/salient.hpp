// SPDX-License-Identifier: MIT
// salient/salient.hpp: a sparse set of weights in more bits than the others.
#ifndef LRQAT_SALIENT_SALIENT_HPP
#define LRQAT_SALIENT_SALIENT_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/initializer.hpp>  // QParams
#include <lrqat/concept/salient_weights.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/grid/symmetric_int.hpp>
#include <lrqat/salient/weight_set.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace lrqat {

/// Salient weights are levels of G times a scale for each row (PB-LLM, Shang et al., arXiv
/// 2310.00034: 8 bits), frozen. There are none until keep() says which; salient_layer() of
/// initializer/salient_layer.hpp makes a layer that has them from the start.
template <class G = SymmetricInt<8>>
struct Salient {
  static_assert(Grid<G>, "Salient<G>: G is the grid of the salient weights, e.g. SymmetricInt<8>.");
  static_assert(G::bits > 0 && G::bits <= 8,
                "Salient<G>: salient weights have codes of 1 to 8 bits.");
  using policy_kind = kind::salient;
  using grid = G;
  static constexpr bool keeps = true;

  class state {
   public:
    explicit state(Shape weight) : set_(weight), rows_(weight.rows) {}

    const WeightSet& set() const { return set_; }
    /// What the salient weights of a row share.
    std::span<const QParams> rows() const { return rows_; }

    /// From now on the weights of `set` have their values in `weight` (out, in), rounded to the
    /// nearest levels on these scales; what was kept before is forgotten.
    /// @param rows  (out)
    /// @throws Error when a shape differs, or a number of the set or of its rows is not finite or
    ///         cannot be divided by
    void keep(WeightSet set, MatrixView<const float> weight, std::span<const QParams> rows) {
      expects(set.shape() == set_.shape() && weight.shape() == set_.shape() &&
                  rows.size() == set_.shape().rows,
              "Salient::keep: a set of (", set.shape().rows, ", ", set.shape().cols,
              ") and a weight of (", weight.rows, ", ", weight.cols, ") with ", rows.size(),
              " scales, the layer's weight is (", set_.shape().rows, ", ", set_.shape().cols, ")");
      AlignedVector<std::uint8_t> codes(set.size());
      set.for_each_in(whole(), [&](std::size_t i, std::size_t j, std::size_t n) {
        const QParams& row = rows[i];
        expects(std::isfinite(weight(i, j)), "Salient::keep: weight (", i, ", ", j,
                ") is not finite");
        expects(std::isfinite(row.scale) && std::isfinite(row.divisor()) && row.divisor() > 0 &&
                    std::isfinite(row.zero_point) && std::isfinite(row.offset),
                "Salient::keep: row ", i, " has scale ", row.scale, ", step ", row.divisor(),
                ", zero point ", row.zero_point, " and offset ", row.offset,
                "; all must be finite, and the step positive");
        codes[n] = code_of(weight(i, j), rows[i]);
      });
      set_ = std::move(set);
      rows_.assign(rows.begin(), rows.end());
      codes_ = std::move(codes);
    }

    void put_back(const Tile& tile, MatrixView<float> w) const {
      set_.for_each_in(tile, [&](std::size_t i, std::size_t j, std::size_t n) {
        w(i - tile.row, j - tile.col) = weight_of(codes_[n], rows_[i]);
      });
    }
    /// What keep() would make of a salient weight of that row. @pre it is finite
    float rounded(std::size_t row, float weight) const {
      return weight_of(code_of(weight, rows_[row]), rows_[row]);
    }
    void take_out(const Tile& tile, MatrixView<float> g) const {
      set_.for_each_in(tile, [&](std::size_t i, std::size_t j, std::size_t) {
        g(i - tile.row, j - tile.col) = 0.0f;
      });
    }
    std::span<const float> rest(std::size_t row, std::size_t col,
                                std::span<const float> values) const {
      const std::span<float> others = scratch<struct rest_slot>(1, values.size()).row(0);
      std::size_t from = 0, to = 0;
      const auto copy_until = [&](std::size_t end) {
        std::copy(values.begin() + static_cast<std::ptrdiff_t>(from),
                  values.begin() + static_cast<std::ptrdiff_t>(end), others.data() + to);
        to += end - from;
      };
      set_.for_each_in({row, col, 1, values.size()}, [&](std::size_t, std::size_t j, std::size_t) {
        copy_until(j - col);
        from = j - col + 1;
      });
      copy_until(values.size());
      return others.first(to);
    }
    std::size_t bytes() const {
      return set_.bytes() + codes_.size() + rows_.size() * sizeof(QParams);
    }

   private:
    /// From G::code_min on.
    static std::uint8_t code_of(float weight, const QParams& row) {
      const float from_offset = has_offset<G> ? weight - row.offset : weight;
      const float level = G::clip(G::round(from_offset / row.divisor()), row.zero_point);
      return static_cast<std::uint8_t>(G::code(level, row.zero_point) - G::code_min);
    }
    static float weight_of(std::uint8_t code, const QParams& row) {
      return weight_of_level<G>(row.scale, G::level(code + G::code_min, row.zero_point),
                                row.offset);
    }
    Tile whole() const { return {0, 0, set_.shape().rows, set_.shape().cols}; }

    WeightSet set_;
    std::vector<QParams> rows_;          // (out)
    AlignedVector<std::uint8_t> codes_;  // (set().size())
  };
};

static_assert(SalientWeights<Salient<>>);

/// Bits of a weight of that shape with `salient` of its weights in `salient_bits` bits and the
/// others in `bits`, scales not counted. Where the salient ones are is counted: a bit for each
/// weight, or, if that is less, a number of 16 bits (32 in rows beyond 65535 weights) for each of
/// them, its column, and for each row, their count.
inline double partial_bits(Shape weight, std::size_t salient, int bits, int salient_bits) {
  const auto all = static_cast<double>(weight.size()), kept = static_cast<double>(salient);
  const double number = weight.cols <= 65535 ? 16.0 : 32.0;
  return bits * (all - kept) + salient_bits * kept +
         std::min(all, number * (kept + static_cast<double>(weight.rows)));
}

}  // namespace lrqat

#endif  // LRQAT_SALIENT_SALIENT_HPP
