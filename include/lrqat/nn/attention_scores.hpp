// SPDX-License-Identifier: MIT
// nn/attention_scores.hpp: losses on the scores of attention, some queries at a time.
#ifndef LRQAT_NN_ATTENTION_SCORES_HPP
#define LRQAT_NN_ATTENTION_SCORES_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/clear.hpp>  // assign_product
#include <lrqat/kernel/multiply.hpp>
#include <lrqat/kernel/transpose.hpp>
#include <lrqat/nn/attention.hpp>  // AttentionShape

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <vector>

namespace lrqat {

namespace detail {

/// Neighbouring queries of one head of one sequence, and the keys that the last of them sees. Query
/// row r of the part sees keys 0 ... first + r.
struct ScorePart {
  std::size_t sequence = 0, head = 0;
  std::size_t first = 0, rows = 0;  // queries

  std::size_t keys() const { return first + rows; }
};

/// use(task, part) for every part of every head of whole sequences; the parts of a task, those of
/// all heads that read one kv head of one sequence, come in order on one thread.
/// @param shape  with as many queries as keys (checked)
template <class Use>
void for_each_score_part(const AttentionShape& shape, const Use& use) {
  expect_attention(shape);
  expects(shape.queries == shape.keys, "attention: scores of ", shape.queries, " queries and ",
          shape.keys, " keys, whole sequences are wanted");
  parallel_for(shape.sequences * shape.kv_heads, [&](std::size_t task) {
    for (std::size_t member = 0; member < shape.group(); ++member)
      for (std::size_t first = 0; first < shape.queries; first += attention_side)
        use(task, ScorePart{.sequence = task / shape.kv_heads,
                            .head = task % shape.kv_heads * shape.group() + member,
                            .first = first,
                            .rows = std::min(attention_side, shape.queries - first)});
  });
}

template <class View>
View queries_of(const AttentionShape& shape, const ScorePart& part, View all) {
  return all.block(part.sequence * shape.queries + part.first, part.head * shape.head_dim,
                   part.rows, shape.head_dim);
}
template <class View>
View keys_of(const AttentionShape& shape, const ScorePart& part, View all) {
  return all.block(part.sequence * shape.keys, part.head / shape.group() * shape.head_dim,
                   part.keys(), shape.head_dim);
}

/// scores (rows, keys) = query key^T / sqrt(head_dim), also of keys that a query does not see.
/// @param query, key  whole: shape.query_shape(), shape.key_shape()
template <class T>
void part_scores(const AttentionShape& shape, const ScorePart& part,
                 MatrixView<const std::type_identity_t<T>> query,
                 MatrixView<const std::type_identity_t<T>> key, MatrixView<T> scores) {
  struct Keys;
  const MatrixView<T> columns = scratch<Keys, T>(shape.head_dim, part.keys());
  kernel::transpose(keys_of(shape, part, key), columns);
  kernel::assign_product(kernel::left(queries_of(shape, part, query)),
                         MatrixView<const T>(columns), scores);
  const T scale = attention_scale<T>(shape);
  for (std::size_t r = 0; r < scores.rows; ++r)
    for (T& score : scores.row(r)) score *= scale;
}

/// Adds the gradients of query and key for those of a part's scores, which are overwritten.
template <class T>
void add_part_gradients(const AttentionShape& shape, const ScorePart& part,
                        MatrixView<T> grad_scores, MatrixView<const std::type_identity_t<T>> query,
                        MatrixView<const std::type_identity_t<T>> key, MatrixView<T> grad_query,
                        MatrixView<T> grad_key) {
  const T scale = attention_scale<T>(shape);
  for (std::size_t r = 0; r < grad_scores.rows; ++r)
    for (T& each : grad_scores.row(r)) each *= scale;
  kernel::multiply(kernel::left(grad_scores), keys_of(shape, part, key),
                   queries_of(shape, part, grad_query));
  kernel::multiply(kernel::left_transposed(grad_scores), queries_of(shape, part, query),
                   keys_of(shape, part, grad_key));
}

}  // namespace detail

/// The mean over all pairs that see each other of (score - wanted score)^2; adds `factor` times its
/// gradients to those of query and key. Scores are scaled and not yet softmax's.
/// @param query, wanted_query, grad_query  shape.query_shape()
/// @param key, wanted_key, grad_key        shape.key_shape()
template <class T>
double score_distance(const AttentionShape& shape, MatrixView<const std::type_identity_t<T>> query,
                      MatrixView<const std::type_identity_t<T>> key,
                      MatrixView<const std::type_identity_t<T>> wanted_query,
                      MatrixView<const std::type_identity_t<T>> wanted_key, double factor,
                      MatrixView<T> grad_query, MatrixView<T> grad_key) {
  detail::expect_attention(shape);
  detail::expect_shape("query", query.shape(), shape.query_shape());
  detail::expect_shape("key", key.shape(), shape.key_shape());
  detail::expect_shape("wanted_query", wanted_query.shape(), shape.query_shape());
  detail::expect_shape("wanted_key", wanted_key.shape(), shape.key_shape());
  detail::expect_shape("grad_query", grad_query.shape(), shape.query_shape());
  detail::expect_shape("grad_key", grad_key.shape(), shape.key_shape());
  const double pairs = static_cast<double>(shape.sequences * shape.heads) *
                       static_cast<double>(shape.queries * (shape.queries + 1) / 2);
  if (pairs == 0) return 0;
  const T each = static_cast<T>(2 * factor / pairs);
  std::vector<double> sums(shape.sequences * shape.kv_heads);
  detail::for_each_score_part(shape, [&](std::size_t task, const detail::ScorePart& part) {
    struct Own;
    struct Wanted;
    const MatrixView<T> scores = scratch<Own, T>(part.rows, part.keys());
    const MatrixView<T> wanted = scratch<Wanted, T>(part.rows, part.keys());
    detail::part_scores(shape, part, query, key, scores);
    detail::part_scores(shape, part, wanted_query, wanted_key, wanted);
    for (std::size_t r = 0; r < part.rows; ++r)
      for (std::size_t c = 0; c < part.keys(); ++c) {
        const T apart = c <= part.first + r ? scores(r, c) - wanted(r, c) : T(0);
        sums[task] += static_cast<double>(apart) * static_cast<double>(apart);
        scores(r, c) = each * apart;
      }
    detail::add_part_gradients(shape, part, scores, query, key, grad_query, grad_key);
  });
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum / pairs;
}

}  // namespace lrqat

#endif  // LRQAT_NN_ATTENTION_SCORES_HPP
