// SPDX-License-Identifier: MIT
// linear/rounding_penalty.hpp: the term of the loss that drives soft weights to integers.
#ifndef LRQAT_LINEAR_ROUNDING_PENALTY_HPP
#define LRQAT_LINEAR_ROUNDING_PENALTY_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/numeric.hpp>  // round_down
#include <lrqat/core/scratch.hpp>
#include <lrqat/linear/quant_linear.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>

namespace lrqat {

/// 1 - |2h - 1|^exponent of a fraction h in [0, 1], which is 0 at both ends and nowhere else
/// (AdaRound, Nagel et al., arXiv 2004.10568, eq. 24), and its derivative by h: 0 at the ends, where
/// it has a kink.
struct RoundingPenalty {
  float value, slope;
};
inline RoundingPenalty rounding_penalty(float h, float exponent) {
  const float t = 2.0f * h - 1.0f, size = std::fabs(t), power = std::pow(size, exponent - 1.0f);
  const float slope = -2.0f * exponent * std::copysign(power, t);
  return {1.0f - power * size, size == 1.0f ? 0.0f : slope};
}

/// weight * sum over all weights of rounding_penalty(h, exponent).value, h the fraction of the value in
/// grid units: adds its gradient to the adapter's and returns it. The adapter sits in
/// BoundedRounding, as AdaRound's, or InsideRounding, where the penalty pulls to the nearest
/// integers. The same bits for any number of threads.
template <class G, class Gran, class S, class A, class P, class E, class I, class T, class In,
          class B, class F, class K>
double add_rounding_penalty(BasicQuantLinear<G, Gran, S, A, P, E, I, T, In, B, F, K>& layer,
                            float weight, float exponent) {
  using Weight = Parameterization<G, Gran, S, A, P, E, T, F, K>;
  static_assert(!K::keeps,
                "add_rounding_penalty: salient weights stay off the grid, and the penalty would pull at "
                "them. Leave Salient out.");
  constexpr bool inside = Weight::trains_adapter && !Weight::has_branch && !P::needs_reals;
  static_assert(inside,
                "add_rounding_penalty: no adapter learns inside this layer's rounding. Call it "
                "before finalise(), for one in BoundedRounding or InsideRounding.");
  double sum = 0;
  if constexpr (inside) {
    constexpr std::size_t side = 256, wave = 8;  // as many column blocks have sums of their own
    const Shape shape = layer.weight().shape();
    const std::size_t blocks = (shape.cols + side - 1) / side;
    typename A::state& adapter = layer.weight().adapter();
    const std::size_t in_common = adapter.shared_gradients();
    AlignedVector<float> shared(std::min(wave, blocks) * in_common);
    for (std::size_t first = 0; first < blocks; first += wave) {
      const std::size_t count = std::min(wave, blocks - first);
      std::array<double, wave> sums{};
      std::fill(shared.begin(), shared.end(), 0.0f);
      const auto of_block = [&](std::size_t i) {
        return std::span<float>(shared).subspan(i * in_common, in_common);
      };
      parallel_for(count, [&](std::size_t i) {
        const std::size_t col = (first + i) * side;
        for (std::size_t row = 0; row < shape.rows; row += side) {
          const Tile tile{row, col, std::min(side, shape.rows - row),
                          std::min(side, shape.cols - col)};
          const auto z = padded_scratch<struct penalty_slot>(tile.rows, tile.cols);
          layer.weight().latent(tile, z);
          for (std::size_t r = 0; r < tile.rows; ++r)
            for (float& u : z.row(r)) {
              const RoundingPenalty penalty = rounding_penalty(u - round_down(u), exponent);
              sums[i] += static_cast<double>(penalty.value);
              if constexpr (joins_delta<P>)
                u = weight * penalty.slope * P::join_slope(u);
              else
                u = weight * penalty.slope;
            }
          adapter.backward(tile, z, of_block(i));
        }
      });
      for (std::size_t i = 0; i < count; ++i) {
        adapter.reduce(of_block(i));
        sum += sums[i];
      }
    }
  }
  return static_cast<double>(weight) * sum;
}

}  // namespace lrqat

#endif  // LRQAT_LINEAR_ROUNDING_PENALTY_HPP
