// SPDX-License-Identifier: MIT
// nn/embedding.hpp: one row of a table for each token.
#ifndef LRQAT_NN_EMBEDDING_HPP
#define LRQAT_NN_EMBEDDING_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/nn/rows.hpp>  // for_rows

#include <algorithm>  // min
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace lrqat {

/// y row t = table row tokens[t]. Errors: a token outside the vocabulary, named with its position.
///
/// @param table  (vocab, dim), in T or in what a float is rounded to, such as bf16
/// @param y      (tokens, dim), overwritten
template <class T, class Kept = T>
void embedding_forward(MatrixView<const std::type_identity_t<Kept>> table,
                       std::span<const std::uint16_t> tokens, MatrixView<T> y) {
  expects(y.rows == tokens.size() && y.cols == table.cols, "embedding_forward: ", tokens.size(),
          " tokens of width ", table.cols, " into (", y.rows, ", ", y.cols, ")");
  for (std::size_t t = 0; t < tokens.size(); ++t)
    expects(tokens[t] < table.rows, "embedding_forward: token ", tokens[t], " at position ", t,
            " is outside the vocabulary of ", table.rows);
  for_rows(y.rows, [=](std::size_t first, std::size_t last) {
    for (std::size_t t = first; t < last; ++t)
      for (std::size_t i = 0; i < table.cols; ++i) {
        const Kept& value = table(tokens[t], i);
        if constexpr (std::is_same_v<Kept, T>)
          y(t, i) = value;
        else
          y(t, i) = static_cast<T>(static_cast<float>(value));
      }
  });
}

/// Adds row t of grad_y to row tokens[t] of grad_table, for t in ascending order.
template <class T>
void embedding_backward(std::span<const std::uint16_t> tokens,
                        MatrixView<const std::type_identity_t<T>> grad_y,
                        MatrixView<T> grad_table) {
  expects(grad_y.rows == tokens.size() && grad_y.cols == grad_table.cols,
          "embedding_backward: ", tokens.size(), " tokens of width ", grad_table.cols, " from (",
          grad_y.rows, ", ", grad_y.cols, ")");
  constexpr std::size_t panel = 64;  // a task owns these columns of the whole table
  parallel_for((grad_y.cols + panel - 1) / panel, [=](std::size_t task) {
    const std::size_t first = task * panel, last = std::min(first + panel, grad_y.cols);
    for (std::size_t t = 0; t < tokens.size(); ++t)
      for (std::size_t i = first; i < last; ++i) grad_table(tokens[t], i) += grad_y(t, i);
  });
}

}  // namespace lrqat

#endif  // LRQAT_NN_EMBEDDING_HPP
