// SPDX-License-Identifier: MIT
// nn/token_marking.hpp: which tokens matter to attention is told to the layers behind it.
#ifndef LRQAT_NN_TOKEN_MARKING_HPP
#define LRQAT_NN_TOKEN_MARKING_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/token_adaptive_linear.hpp>
#include <lrqat/nn/block_guide.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama.hpp>
#include <lrqat/nn/token_importance.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace lrqat {

/// The guide that carries marks through a model: those that the attention of a block finds hold for
/// its output layer and MLP, and for query, key and value of the next block. The first block's have
/// none. Tokens are ranked within their sequence, so that nothing depends on what else is in a
/// batch; EdgeQAT ranks the means over a batch.
template <class Linear>
class TokenMarking : public BlockGuide<float> {
 public:
  /// Layers that are no TokenAdaptiveLinear, by themselves or in an AnyLinear, are passed over.
  /// @param share  rho: the part of the tokens that is marked, 0 ... 1
  TokenMarking(Llama<Linear>& model, double share) : model_(model), share_(share) {
    expects(share >= 0 && share <= 1, "TokenMarking: a share of ", share,
            " of the tokens; it lies in 0 ... 1");
    forget();
  }
  ~TokenMarking() override { forget(); }
  TokenMarking(const TokenMarking&) = delete;
  TokenMarking& operator=(const TokenMarking&) = delete;

  void context(std::size_t block, const BlockTape<float>& tape) override {
    const std::size_t tokens = tape.query.rows;
    importance_.resize(tokens);
    marks_.resize(tokens);
    token_importance<float>(tape.shape, tape.query, tape.key, tape.log_sum_exp, importance_);
    mark_least_important(importance_, tape.shape.sequences, share_, marks_);
    for (const LinearKind kind :
         {LinearKind::output, LinearKind::gate, LinearKind::up, LinearKind::down})
      set({block, kind}, marks_);
    if (block + 1 < model_.config().layers)
      for (const LinearKind kind : {LinearKind::query, LinearKind::key, LinearKind::value})
        set({block + 1, kind}, marks_);
  }

 private:
  void set(const LinearName& which, std::span<const std::uint8_t> marks) {
    Linear& layer = model_.linear(which);
    if constexpr (std::is_same_v<Linear, TokenAdaptiveLinear>) {
      layer.set_marks(marks);
    } else if constexpr (std::is_same_v<Linear, AnyLinear>) {
      if (auto* const inner = layer.template get_if<TokenAdaptiveLinear>()) inner->set_marks(marks);
    }
  }
  void forget() {
    for (std::size_t b = 0; b < model_.config().layers; ++b)
      for (const LinearKind kind : linear_kinds) set({b, kind}, {});
  }

  Llama<Linear>& model_;
  double share_;
  std::vector<double> importance_;
  std::vector<std::uint8_t> marks_;
};

}  // namespace lrqat

#endif  // LRQAT_NN_TOKEN_MARKING_HPP
