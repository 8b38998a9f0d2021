// SPDX-License-Identifier: MIT
// nn/token_marking.hpp: which tokens matter to attention, told to the layers behind it.
#ifndef LRQAT_NN_TOKEN_MARKING_HPP
#define LRQAT_NN_TOKEN_MARKING_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/kernel/exp.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/token_adaptive_linear.hpp>
#include <lrqat/nn/attention.hpp>  // AttentionShape
#include <lrqat/nn/block_guide.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama.hpp>
#include <lrqat/nn/rows.hpp>  // for_rows

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <type_traits>
#include <vector>

namespace lrqat {

/// importance[t] = sum over heads of the probability that token t gives to the first token of its
/// sequence, as EdgeQAT (arXiv 2402.10787) has it; the published code takes scores before softmax.
/// @param query, key   shape.query_shape(), shape.key_shape(): as attention read them
/// @param log_sum_exp  shape.log_sum_exp_shape(): as attention gave it
template <class T>
void token_importance(const AttentionShape& shape, MatrixView<const T> query,
                      MatrixView<const T> key, MatrixView<const T> log_sum_exp,
                      std::span<double> importance) {
  expects(importance.size() == shape.sequences * shape.queries, "token_importance: room for ",
          importance.size(), " of ", shape.sequences * shape.queries, " tokens");
  const T scale = detail::attention_scale<T>(shape);
  const std::size_t dim = shape.head_dim;
  for_rows(importance.size(), [=](std::size_t first, std::size_t last) {
    for (std::size_t t = first; t < last; ++t) {
      const std::size_t sequence = t / shape.queries;
      importance[t] = 0;
      for (std::size_t head = 0; head < shape.heads; ++head) {
        const T* const q = query.row(t).data() + head * dim;
        const T* const k = key.row(sequence * shape.keys).data() + head / shape.group() * dim;
        T score = 0;
        for (std::size_t d = 0; d < dim; ++d) score += q[d] * k[d];
        const T sum = log_sum_exp(sequence * shape.heads + head, t % shape.queries);
        importance[t] += static_cast<double>(kernel::bounded_exp(score * scale - sum));
      }
    }
  });
}

/// marks[t] = 1 for the floor(share * length) least important tokens of each sequence, else 0. Of
/// equally important ones the earlier are marked, and one whose importance is NaN only after all
/// others.
/// @param importance, marks  (sequences * length)
inline void mark_least_important(std::span<const double> importance, std::size_t sequences,
                                 double share, std::span<std::uint8_t> marks) {
  expects(share >= 0 && share <= 1, "mark_least_important: a share of ", share,
          " of the tokens; it lies in 0 ... 1");
  expects(marks.size() == importance.size() &&
              (sequences == 0 ? marks.empty() : marks.size() % sequences == 0),
          "mark_least_important: ", importance.size(), " tokens in ", sequences,
          " sequences, room for ", marks.size(), " marks");
  const std::size_t length = sequences == 0 ? 0 : marks.size() / sequences;
  const auto count = static_cast<std::size_t>(share * static_cast<double>(length));
  std::vector<std::size_t> order(length);
  for (std::size_t s = 0; s < sequences; ++s) {
    const auto rank = [values = importance.subspan(s * length, length)](std::size_t i) {
      return std::isnan(values[i]) ? std::numeric_limits<double>::infinity() : values[i];
    };
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return rank(a) != rank(b) ? rank(a) < rank(b) : a < b;
    });
    const std::span<std::uint8_t> own = marks.subspan(s * length, length);
    std::fill(own.begin(), own.end(), std::uint8_t{0});
    for (std::size_t i = 0; i < count; ++i) own[order[i]] = 1;
  }
}

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

  double share() const { return share_; }

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
