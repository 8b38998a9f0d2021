// SPDX-License-Identifier: MIT
// nn/cross_entropy.hpp: softmax and negative log-likelihood of the target, in one.
#ifndef LRQAT_NN_CROSS_ENTROPY_HPP
#define LRQAT_NN_CROSS_ENTROPY_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/kernel/exp.hpp>
#include <lrqat/kernel/reduce.hpp>  // max_over, sum_over
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/nn/rows.hpp>  // for_rows

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace lrqat {

namespace detail {

template <class T>
void expect_targets(MatrixView<const T> logits, std::span<const std::uint16_t> targets,
                    std::span<const double> nll) {
  expects(targets.size() == logits.rows && nll.size() == logits.rows,
          "cross_entropy: ", logits.rows, " rows of logits, ", targets.size(),
          " targets, room for ", nll.size(), " losses");
  for (std::size_t t = 0; t < targets.size(); ++t)
    expects(targets[t] < logits.cols, "cross_entropy: target ", targets[t], " at position ", t,
            " is outside the vocabulary of ", logits.cols);
}

}  // namespace detail

/// nll[t] = log sum_v e^logits(t, v) - logits(t, targets[t]), in nats; the sums are double.
///
/// @param logits  (tokens, vocab)      @param targets  (tokens)      @param nll  (tokens)
template <class T>
void cross_entropy(MatrixView<T> logits, std::span<const std::uint16_t> targets,
                   std::span<double> nll) {
  using Value = std::remove_const_t<T>;
  detail::expect_targets<Value>(logits, targets, nll);
  for_rows(logits.rows, [=](std::size_t first, std::size_t last) {
    for (std::size_t t = first; t < last; ++t) {
      const Value* const row = logits.row(t).data();
      const Value largest = kernel::max_over(row, logits.cols);
      const double sum = kernel::sum_over<double>(
          logits.cols, [=](std::size_t i) { return kernel::exp(row[i] - largest); });
      nll[t] =
          std::log(sum) - (static_cast<double>(row[targets[t]]) - static_cast<double>(largest));
    }
  });
}

/// The same, and overwrites the logits with `factor` times the gradients of their nll:
/// factor (softmax(logits) - one-hot(target)).
template <class T>
void cross_entropy_with_gradient(MatrixView<T> logits, std::span<const std::uint16_t> targets,
                                 double factor, std::span<double> nll) {
  detail::expect_targets<T>(logits, targets, nll);
  for_rows(logits.rows, [=](std::size_t first, std::size_t last) {
    for (std::size_t t = first; t < last; ++t) {
      T* const row = logits.row(t).data();
      const T largest = kernel::max_over<T>(row, logits.cols);
      const T target = row[targets[t]];
      kernel::for_each_lane(logits.cols,
                            [=](std::size_t i) { row[i] = kernel::exp(row[i] - largest); });
      const double sum =
          kernel::sum_over<double>(logits.cols, [=](std::size_t i) { return row[i]; });
      nll[t] = std::log(sum) - (static_cast<double>(target) - static_cast<double>(largest));
      const T scale = static_cast<T>(factor / sum);
      kernel::for_each_lane(logits.cols, [=](std::size_t i) { row[i] *= scale; });
      row[targets[t]] -= static_cast<T>(factor);
    }
  });
}

}  // namespace lrqat

#endif  // LRQAT_NN_CROSS_ENTROPY_HPP
