// SPDX-License-Identifier: MIT
// input/token_adaptive.hpp: activations in two widths, chosen for each token by a mark.
#ifndef LRQAT_INPUT_TOKEN_ADAPTIVE_HPP
#define LRQAT_INPUT_TOKEN_ADAPTIVE_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/input/any_input.hpp>

namespace lrqat {

/// The token-adaptive quantizer of EdgeQAT (Shen et al., arXiv 2402.10787): a token that is marked
/// has the quantizer `low`, another one `high`. Scales are those of AnyInput, found from each
/// token; the published ones are learned, one for all tokens of a layer and width.
struct TokenAdaptive {
  AnyInput high{.bits = 8}, low{.bits = 4};

  /// Errors: a width that nothing quantizes to; a low one above the high one.
  void check() const {
    high.check("TokenAdaptive: tokens");
    low.check("TokenAdaptive: marked tokens");
    expects(high.quantizes() && low.quantizes() && low.bits <= high.bits,
            "TokenAdaptive: ", low.bits, " bits for marked tokens and ", high.bits,
            " for the others; both are quantized, and the marked ones not wider");
  }

  bool operator==(const TokenAdaptive&) const = default;
};

}  // namespace lrqat

#endif  // LRQAT_INPUT_TOKEN_ADAPTIVE_HPP
