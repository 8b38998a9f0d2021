// SPDX-License-Identifier: MIT
// linear/token_adaptive_linear.hpp: a layer whose input has one of two widths, token by token.
#ifndef LRQAT_LINEAR_TOKEN_ADAPTIVE_LINEAR_HPP
#define LRQAT_LINEAR_TOKEN_ADAPTIVE_LINEAR_HPP

#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/input/any_input.hpp>
#include <lrqat/input/token_adaptive.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/behind_input.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace lrqat {

/// y = layer(Q(x)), Q a TokenAdaptive that sees each token's mark. Marks are set from outside
/// (TokenMarking), for the passes that follow, and there are none at first: then it is a
/// QuantizedInputLinear of the high width, to the bit. Passes of another number of tokens than marks
/// are errors.
class TokenAdaptiveLinear : public detail::BehindInput<TokenAdaptiveLinear> {
 public:
  /// Errors: widths that TokenAdaptive refuses.
  explicit TokenAdaptiveLinear(AnyLinear layer, const TokenAdaptive& input = {})
      : BehindInput(std::move(layer)), input_(input) {
    input_.check();
  }

  const TokenAdaptive& input() const { return input_; }

  /// @param marks  (tokens) not 0 where the low width is to be used; empty: nowhere
  void set_marks(std::span<const std::uint8_t> marks) { marks_.assign(marks.begin(), marks.end()); }
  std::span<const std::uint8_t> marks() const { return marks_; }

  /// The merged layer behind the same quantizer, without marks: the same bits under the same marks.
  /// @throws Error for a layer that has no codes to merge into
  TokenAdaptiveLinear merge() const { return TokenAdaptiveLinear(layer().merge(), input_); }

 private:
  friend class detail::BehindInput<TokenAdaptiveLinear>;
  const AnyInput& input_of(std::size_t token) const {
    return !marks_.empty() && marks_[token] != 0 ? input_.low : input_.high;
  }
  void expect_tokens(std::size_t tokens) const {
    expects(marks_.empty() || marks_.size() == tokens, "TokenAdaptiveLinear: ", marks_.size(),
            " marks for ", tokens, " tokens");
  }

  TokenAdaptive input_;
  std::vector<std::uint8_t> marks_;
};

static_assert(LinearLayer<TokenAdaptiveLinear>);

}  // namespace lrqat

#endif  // LRQAT_LINEAR_TOKEN_ADAPTIVE_LINEAR_HPP
