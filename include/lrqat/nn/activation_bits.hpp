// SPDX-License-Identifier: MIT
// nn/activation_bits.hpp: which activations of a LLaMA's attention are quantized, head by head.
#ifndef LRQAT_NN_ACTIVATION_BITS_HPP
#define LRQAT_NN_ACTIVATION_BITS_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/input/any_input.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/nn/rows.hpp>  // for_rows

#include <cstddef>
#include <cstdint>
#include <span>

namespace lrqat {

/// Quantizers of a block that belong to no linear layer (lr-qat, section 1.10): each has a scale
/// and a zero point for every head of every token. The inputs of linear layers are those layers'
/// business (Input, or a layer around them). Softmax, residual stream, embedding, final norm and
/// head stay as they are.
struct ActivationBits {
  AnyInput cache{};   // key and value as their layers give them: what a KV cache keeps
  AnyInput rotated{};  // query and key after rotary embedding

  bool operator==(const ActivationBits&) const = default;

  /// Errors: widths that nothing quantizes to.
  void check() const {
    cache.check("keys and values");
    rotated.check("queries and keys after rotary embedding");
  }
};

namespace detail {

/// One head of one token as codes that b bits can hold, and back (TokenScale::first_step).
template <class T>
LRQAT_INLINE void quantize_head(const AnyInput& how, std::span<T> x, std::uint8_t* inside) {
  const T code_max = static_cast<T>(how.code_max());
  const TokenScale<T> token = how.observe(std::span<const T>(x));
  const T first = token.first_step();
  if (inside != nullptr)
    kernel::for_each_lane<64>(x.size(), [=, from = x.data()](std::size_t i) {
      inside[i] = token.inside(token.steps(from[i]), code_max) ? 1 : 0;
    });
  kernel::for_each_lane(x.size(), [=, values = x.data()](std::size_t i) {
    values[i] = token.value_of_code(token.code(values[i], first, code_max), first, code_max);
  });
}

}  // namespace detail

/// Quantizes each head of each token in place; nothing where `how` does not quantize.
/// @param x       (tokens, heads * head_dim)
/// @param inside  like x: gets 1 where a gradient passes and 0 where it does not; or empty
template <class T>
void quantize_heads(const AnyInput& how, std::size_t head_dim, MatrixView<T> x,
                    MatrixView<std::uint8_t> inside) {
  if (!how.quantizes()) return;
  for_rows(x.rows, [=](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row)
      for (std::size_t col = 0; col < x.cols; col += head_dim)
        detail::quantize_head<T>(how, x.row(row).subspan(col, head_dim),
                                 inside.data == nullptr ? nullptr : &inside(row, col));
  });
}

/// The same bits for one head of up to 64 tokens that stand in columns, on one thread:
/// x (head_dim, tokens).
template <class T>
void quantize_columns(const AnyInput& how, MatrixView<T> x) {
  constexpr std::size_t most = 64;
  if (!how.quantizes() || x.rows == 0) return;
  expects(x.cols <= most, "quantize_columns: ", x.cols, " tokens, 64 fit");
  kernel::vectorised([=] {
    T low[most], high[most], first[most];
    const std::size_t tokens = x.cols;
    T *const lows = low, *const highs = high, *const firsts = first;
    kernel::for_each_lane(tokens,
                          [=, from = x.data](std::size_t c) { lows[c] = highs[c] = from[c]; });
    for (std::size_t d = 1; d < x.rows; ++d)
      kernel::for_each_lane(tokens, [=, from = x.row(d).data()](std::size_t c) {
        const T value = from[c];
        lows[c] = value < lows[c] ? value : lows[c];
        highs[c] = highs[c] < value ? value : highs[c];
      });
    const T code_max = static_cast<T>(how.code_max());
    // From here on the arrays hold scales and zero points.
    const auto settle = [=]<class ZeroPoint>(ZeroPoint) LRQAT_INLINE_LAMBDA {
      kernel::for_each_lane(tokens, [=](std::size_t c) {
        const TokenScale<T> token = token_of_range<ZeroPoint>(lows[c], highs[c], code_max);
        lows[c] = token.scale;
        highs[c] = token.zero_point;
        firsts[c] = token.first_step();
      });
    };
    if (how.zero_point == ZeroPointMode::real)
      settle(RealZeroPoint{});
    else
      settle(IntegerZeroPoint{});
    for (std::size_t d = 0; d < x.rows; ++d)
      kernel::for_each_lane(tokens, [=, values = x.row(d).data()](std::size_t c) {
        const TokenScale<T> token{lows[c], highs[c]};
        const T code = token.code(values[c], firsts[c], code_max);
        values[c] = token.value_of_code(code, firsts[c], code_max);
      });
  });
}

/// The straight-through gradient of quantize_heads: 0 where a number was clipped.
template <class T>
void mask_gradient(MatrixView<const std::uint8_t> inside, MatrixView<T> grad) {
  if (inside.data == nullptr) return;
  expects(inside.shape() == grad.shape(), "mask_gradient: a mask of (", inside.rows, ", ",
          inside.cols, ") for a gradient of (", grad.rows, ", ", grad.cols, ")");
  for_rows(grad.rows, [=](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) {
      const std::uint8_t* const passes = inside.row(row).data();
      T* const g = grad.row(row).data();
      kernel::for_each_lane<64>(grad.cols,
                                [=](std::size_t i) { g[i] = passes[i] != 0 ? g[i] : T(0); });
    }
  });
}

}  // namespace lrqat

#endif  // LRQAT_NN_ACTIVATION_BITS_HPP
