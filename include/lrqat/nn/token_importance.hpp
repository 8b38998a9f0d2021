// SPDX-License-Identifier: MIT
// nn/token_importance.hpp: which tokens matter to attention.
#ifndef LRQAT_NN_TOKEN_IMPORTANCE_HPP
#define LRQAT_NN_TOKEN_IMPORTANCE_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/numeric.hpp>  // fused_multiply_add
#include <lrqat/nn/attention.hpp>  // AttentionShape
#include <lrqat/nn/rows.hpp>       // for_rows

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace lrqat {

/// importance[t] = sum over heads of the probability that token t gives to the first token of its
/// sequence, as EdgeQAT (arXiv 2402.10787) has it; the published code takes scores before softmax.
/// What it decides is a bit width, so bits are the same on every instruction set.
/// @param query, key   shape.query_shape(), shape.key_shape(): as attention read them
/// @param log_sum_exp  shape.log_sum_exp_shape(): as attention gave it
template <class T>
void token_importance(const AttentionShape& shape, MatrixView<const T> query,
                      MatrixView<const T> key, MatrixView<const T> log_sum_exp,
                      std::span<double> importance) {
  detail::expect_attention(shape);
  detail::expect_shape("query", query.shape(), shape.query_shape());
  detail::expect_shape("key", key.shape(), shape.key_shape());
  detail::expect_shape("log_sum_exp", log_sum_exp.shape(), shape.log_sum_exp_shape());
  expects(importance.size() == shape.sequences * shape.queries, "token_importance: room for ",
          importance.size(), " of ", shape.sequences * shape.queries, " tokens");
  const double scale = 1 / std::sqrt(static_cast<double>(shape.head_dim));
  const std::size_t dim = shape.head_dim;
  for_rows(importance.size(), [=](std::size_t first, std::size_t last) {
    for (std::size_t t = first; t < last; ++t) {
      const std::size_t sequence = t / shape.queries;
      importance[t] = 0;
      for (std::size_t head = 0; head < shape.heads; ++head) {
        const T* const q = query.row(t).data() + head * dim;
        const T* const k = key.row(sequence * shape.keys).data() + head / shape.group() * dim;
        double score = 0;
        for (std::size_t d = 0; d < dim; ++d)
          score = fused_multiply_add(static_cast<double>(q[d]), static_cast<double>(k[d]), score);
        const T sum = log_sum_exp(sequence * shape.heads + head, t % shape.queries);
        // Not kernel::exp, whose products may be fused.
        importance[t] += std::exp(fused_multiply_add(score, scale, -static_cast<double>(sum)));
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

}  // namespace lrqat

#endif  // LRQAT_NN_TOKEN_IMPORTANCE_HPP
