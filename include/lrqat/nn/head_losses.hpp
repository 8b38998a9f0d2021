// SPDX-License-Identifier: MIT
// nn/head_losses.hpp: losses made of logits, which for a whole batch would not fit.
#ifndef LRQAT_NN_HEAD_LOSSES_HPP
#define LRQAT_NN_HEAD_LOSSES_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/nn/rows.hpp>  // Buffer, rows_per_task
#include <lrqat/nn/token_table.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace lrqat {

namespace detail {

/// Errors: not as many targets as inputs, or room for another number of losses (0 is none).
inline void expect_target_each(const char* who, std::size_t inputs, std::size_t targets,
                               std::size_t losses = 0) {
  expects(targets == inputs && (losses == 0 || losses == inputs), who, ": ", inputs, " inputs, ",
          targets, " targets, room for ", losses, " losses");
}

}  // namespace detail

/// Logits for some tokens at a time, given to use(logits (n, vocab), first token, their losses (n));
/// returns the mean loss, added up in the order of the tokens.
///
/// @param head    (vocab, dim)     @param hidden  (tokens, dim)
/// @param logits  holds one part   @param losses  becomes (tokens)
template <class T, class Use>
double head_losses(const TokenTable<T>& head, MatrixView<const T> hidden, Buffer<T>& logits,
                   std::vector<double>& losses, const Use& use) {
  constexpr std::size_t numbers = std::size_t{1} << 18, fewest = 256;
  const std::size_t tokens = hidden.rows, vocab = head.shape().rows;
  const std::size_t at_once = std::max(fewest, numbers / vocab / rows_per_task * rows_per_task);
  losses.resize(tokens);
  for (std::size_t first = 0; first < tokens; first += at_once) {
    const std::size_t count = std::min(at_once, tokens - first);
    const MatrixView<T> part = logits.shaped(count, vocab);
    head.project(hidden.block(first, 0, count, hidden.cols), part);
    use(part, first, std::span<double>(losses).subspan(first, count));
  }
  double sum = 0;
  for (const double loss : losses) sum += loss;
  return tokens == 0 ? 0 : sum / static_cast<double>(tokens);
}

}  // namespace lrqat

#endif  // LRQAT_NN_HEAD_LOSSES_HPP
