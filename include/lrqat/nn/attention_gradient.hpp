// SPDX-License-Identifier: MIT
// nn/attention_gradient.hpp: the backward pass of causal attention with grouped queries.
#ifndef LRQAT_NN_ATTENTION_GRADIENT_HPP
#define LRQAT_NN_ATTENTION_GRADIENT_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/clear.hpp>
#include <lrqat/kernel/exp.hpp>
#include <lrqat/kernel/multiply.hpp>
#include <lrqat/kernel/transpose.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/nn/attention.hpp>  // AttentionShape

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace lrqat {

/// What the backward pass reads: the forward pass's arguments and results, and dL/doutput.
template <class T>
struct AttentionTape {
  MatrixView<const T> query;        // shape.query_shape()
  MatrixView<const T> key, value;   // shape.key_shape()
  MatrixView<const T> output;       // shape.query_shape()
  MatrixView<const T> log_sum_exp;  // shape.log_sum_exp_shape()
  MatrixView<const T> grad_output;  // shape.query_shape()
};

/// What it overwrites.
template <class T>
struct AttentionGradients {
  MatrixView<T> query;       // shape.query_shape()
  MatrixView<T> key, value;  // shape.key_shape()
};

namespace detail {

/// A square of scores (queries, keys) becomes the probabilities p = e^(scale score - log_sum_exp),
/// and a square of dL/dp becomes the gradient of the scaled scores, p (dL/dp - inner), inner[q]
/// being sum_k p dL/dp = output . dL/doutput. Query `row` sees first_visible + row keys.
template <class T>
void softmax_gradient_square(MatrixView<T> scores, MatrixView<T> grad, std::ptrdiff_t first_visible,
                             T scale, const T* log_sum_exp, const T* inner) {
  kernel::vectorised([=] {
    for (std::size_t row = 0; row < scores.rows; ++row) {
      const std::ptrdiff_t seen = first_visible + static_cast<std::ptrdiff_t>(row);
      const std::size_t visible =
          seen <= 0 ? 0 : std::min(static_cast<std::size_t>(seen), scores.cols);
      T* const s = scores.row(row).data();
      T* const g = grad.row(row).data();
      const T offset = log_sum_exp[row], mean = inner[row];
      kernel::for_each_lane(whole_vectors(visible), [=](std::size_t c) {
        const T p = kernel::bounded_exp(s[c] * scale - offset);
        s[c] = p;
        g[c] = p * (g[c] - mean);
      });
      for (std::size_t c = visible; c < scores.cols; ++c) s[c] = g[c] = 0;
    }
  });
}

/// Transposed keys and values of one kv head and their gradients, (head_dim, whole squares of
/// keys): with keys along the rows of memory each product below but one has long rows to write.
template <class T>
struct TransposedKeys {
  MatrixView<T> key, value, grad_key, grad_value;

  TransposedKeys(MatrixView<const T> k, MatrixView<const T> v) {
    struct Keys;
    struct Values;
    struct GradKeys;
    struct GradValues;
    const std::size_t dim = k.cols;
    const std::size_t columns = (k.rows + attention_side - 1) / attention_side * attention_side;
    key = scratch<Keys, T>(dim, columns);
    value = scratch<Values, T>(dim, columns);
    grad_key = scratch<GradKeys, T>(dim, columns);
    grad_value = scratch<GradValues, T>(dim, columns);
    kernel::clear(key);
    kernel::clear(value);
    kernel::clear(grad_key);
    kernel::clear(grad_value);
    kernel::transpose(k, key.block(0, 0, dim, k.rows));
    kernel::transpose(v, value.block(0, 0, dim, k.rows));
  }
};

/// One block of queries of one head: writes grad_query, adds to the transposed gradients of the
/// keys (still without the factor scale) and values.
template <class T>
void attend_backward(const AttentionShape& shape, std::size_t first, MatrixView<const T> query,
                     MatrixView<const T> key, MatrixView<const T> output,
                     MatrixView<const T> grad_output, const T* log_sum_exp,
                     const TransposedKeys<T>& transposed, MatrixView<T> grad_query) {
  constexpr std::size_t side = attention_side;
  const std::size_t rows = query.rows, dim = shape.head_dim;
  const std::size_t first_position = shape.keys - shape.queries + first;
  struct Scores;
  struct Grads;
  const MatrixView<T> score_square = scratch<Scores, T>(side, side);
  const MatrixView<T> grad_square = scratch<Grads, T>(side, side);
  T inner[side];
  for (std::size_t r = 0; r < rows; ++r) {
    inner[r] = 0;
    for (std::size_t d = 0; d < dim; ++d) inner[r] += output(r, d) * grad_output(r, d);
  }
  const T scale = attention_scale<T>(shape);
  kernel::clear(grad_query);

  for (std::size_t key0 = 0; key0 < first_position + rows; key0 += side) {
    const std::size_t keys = std::min(side, first_position + rows - key0);
    const std::size_t columns = whole_vectors(keys);
    const auto part = [=](MatrixView<T> all) { return all.block(0, key0, dim, columns); };
    const MatrixView<T> p = score_square.block(0, 0, rows, columns);
    const MatrixView<T> g = grad_square.block(0, 0, rows, columns);
    kernel::assign_product(kernel::left(query), part(transposed.key), p);
    kernel::assign_product(kernel::left(grad_output), part(transposed.value), g);
    softmax_gradient_square(
        p, g, static_cast<std::ptrdiff_t>(first_position + 1) - static_cast<std::ptrdiff_t>(key0),
        scale, log_sum_exp, static_cast<const T*>(inner));
    kernel::multiply(kernel::left_transposed(grad_output), MatrixView<const T>(p),
                     part(transposed.grad_value));
    kernel::multiply(kernel::left_transposed(query), MatrixView<const T>(g),
                     part(transposed.grad_key));
    kernel::multiply(kernel::left(MatrixView<const T>(g.block(0, 0, rows, keys))),
                     key.block(key0, 0, keys, dim), grad_query);
  }
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t d = 0; d < dim; ++d) grad_query(r, d) *= scale;
}

}  // namespace detail

/// The gradients of attention_forward. Probabilities are computed again from log_sum_exp, square by
/// square; a task owns one kv head of one sequence with all query heads that read it.
template <class T>
void attention_backward(const AttentionShape& shape,
                        const AttentionTape<std::type_identity_t<T>>& tape,
                        const AttentionGradients<T>& gradients) {
  detail::expect_attention(shape);
  detail::expect_shape("query", tape.query.shape(), shape.query_shape());
  detail::expect_shape("key", tape.key.shape(), shape.key_shape());
  detail::expect_shape("value", tape.value.shape(), shape.key_shape());
  detail::expect_shape("output", tape.output.shape(), shape.query_shape());
  detail::expect_shape("log_sum_exp", tape.log_sum_exp.shape(), shape.log_sum_exp_shape());
  detail::expect_shape("grad_output", tape.grad_output.shape(), shape.query_shape());
  detail::expect_shape("grad_query", gradients.query.shape(), shape.query_shape());
  detail::expect_shape("grad_key", gradients.key.shape(), shape.key_shape());
  detail::expect_shape("grad_value", gradients.value.shape(), shape.key_shape());
  const std::size_t dim = shape.head_dim;
  parallel_for(shape.sequences * shape.kv_heads, [&](std::size_t task) {
    const std::size_t kv_head = task % shape.kv_heads, sequence = task / shape.kv_heads;
    const auto kv = [&](auto all) {
      return all.block(sequence * shape.keys, kv_head * dim, shape.keys, dim);
    };
    const detail::TransposedKeys<T> transposed(kv(tape.key), kv(tape.value));
    for (std::size_t member = 0; member < shape.group(); ++member) {
      const std::size_t head = kv_head * shape.group() + member;
      const T* const log_sum_exp = tape.log_sum_exp.row(sequence * shape.heads + head).data();
      for (std::size_t first = 0; first < shape.queries; first += detail::attention_side) {
        const std::size_t rows = std::min(detail::attention_side, shape.queries - first);
        const auto part = [&](auto all) {
          return all.block(sequence * shape.queries + first, head * dim, rows, dim);
        };
        detail::attend_backward<T>(shape, first, part(tape.query), kv(tape.key), part(tape.output),
                                   part(tape.grad_output), log_sum_exp + first, transposed,
                                   part(gradients.query));
      }
    }
    const T scale = detail::attention_scale<T>(shape);
    const MatrixView<T> grad_key = kv(gradients.key);
    kernel::transpose(MatrixView<const T>(transposed.grad_key.block(0, 0, dim, shape.keys)),
                      grad_key);
    for (std::size_t row = 0; row < shape.keys; ++row)
      for (std::size_t d = 0; d < dim; ++d) grad_key(row, d) *= scale;
    kernel::transpose(MatrixView<const T>(transposed.grad_value.block(0, 0, dim, shape.keys)),
                      kv(gradients.value));
  });
}

}  // namespace lrqat

#endif  // LRQAT_NN_ATTENTION_GRADIENT_HPP
