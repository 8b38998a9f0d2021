// SPDX-License-Identifier: MIT
// input/dynamic_input.hpp: activations quantized like weights, each token a group.
#ifndef LRQAT_INPUT_DYNAMIC_INPUT_HPP
#define LRQAT_INPUT_DYNAMIC_INPUT_HPP

#include <lrqat/concept/estimator.hpp>
#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/initializer.hpp>
#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/estimator/trust.hpp>
#include <lrqat/grid/mid_rise.hpp>
#include <lrqat/grid/symmetric_int.hpp>
#include <lrqat/initializer/gaussian_rms.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/input/token_quantizer.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace lrqat {

/// A scale for each token, chosen by an initializer when the token arrives, on a grid without zero
/// point; the scale carries no gradient, the values what the estimator lets through.
template <class G, class I, class E = StraightThrough>
struct DynamicInput {
  static_assert(Grid<G> && !G::has_zero_point,
                "DynamicInput<Grid, Initializer>: a grid without zero point; for one with it, write "
                "Input<UInt<8>>.");
  static_assert(InitializerOf<I, G> && Estimator<E>,
                "DynamicInput<Grid, Initializer, Estimator>: an initializer for this grid, and an "
                "estimator.");
  static_assert(!requires { requires E::needs_even_levels; } || EvenGrid<G>,
                "DynamicInput<Grid, Initializer, Trust<>>: Trust measures errors in steps, which this "
                "grid has not.");
  using policy_kind = kind::input;
  static constexpr bool quantizes = true;

  /// x_hat = scale * clip(round(x / scale)). NaN stays NaN; x_hat may be x.
  static void forward(std::span<const float> x, std::span<float> x_hat) {
    const QParams token = I::template choose<G>(x);
    kernel::vectorised([=] {
      kernel::for_each_lane(x.size(), [from = x.data(), to = x_hat.data(), scale = token.scale,
                                       divisor = token.divisor()](std::size_t i)
                                          LRQAT_INLINE_LAMBDA {
        to[i] = scale * level(from[i] / divisor);
      });
    });
  }

  static void backward(std::span<const float> x, std::span<float> grad) {
    const QParams token = I::template choose<G>(x);
    kernel::vectorised([=] {
      kernel::for_each_lane(x.size(), [from = x.data(), to = grad.data(),
                                       divisor = token.divisor()](std::size_t i)
                                          LRQAT_INLINE_LAMBDA {
        const float low = G::level(G::code_min, 0.0f), high = G::level(G::code_max, 0.0f);
        const float u = from[i] / divisor, rounded = G::round(u);
        to[i] *= E::pass(u, rounded, G::clip(rounded, 0.0f), low, high);
      });
    });
  }

  /// Integers in a byte, zero in its middle: what integer kernels take.
  static constexpr bool has_integer_codes = IntegerGrid<G>;
  static constexpr int byte_of_zero = 128;

  /// The codes of forward's x_hat. A token with a value that is not finite, or whose scale is not,
  /// has the scale NaN.
  static QParams quantize(std::span<const float> x,
                          std::span<std::uint8_t> codes) requires has_integer_codes {
    const QParams token = I::template choose<G>(x);
    bool finite = token.scale < std::numeric_limits<float>::infinity();
    if (finite)
      kernel::vectorised([&] {
        finite = write_codes(
            x,
            [divisor = token.divisor()](float value) LRQAT_INLINE_LAMBDA {
              return level(value / divisor) + static_cast<float>(byte_of_zero);
            },
            255.0f, codes);
      });
    if (finite) return {token.scale, byte_of_zero};
    std::fill(codes.begin(), codes.end(), std::uint8_t{byte_of_zero});
    return {std::numeric_limits<float>::quiet_NaN(), byte_of_zero};
  }

 private:
  LRQAT_INLINE static float level(float u) { return G::clip(G::round(u), 0.0f); }
};

/// QuEST's activations: the best grid for normal numbers of the token's root mean square, and the
/// trust estimator. Behind a Hadamard transform both work in its basis.
template <class G>
using RmsInput = DynamicInput<G, GaussianRms, Trust<>>;

/// scale = max|x| / p, levels -p .. p (LLM-QAT's, SmoothQuant's and QServe's activations). Nothing is
/// clipped, so that the gradient passes everywhere. Integer kernels take its codes.
template <int Bits>
using SymmetricInput = DynamicInput<SymmetricInt<Bits>, MinMax>;

static_assert(InputQuantizer<RmsInput<MidRise<4>>> && IntegerInput<SymmetricInput<8>>);

}  // namespace lrqat

#endif  // LRQAT_INPUT_DYNAMIC_INPUT_HPP
