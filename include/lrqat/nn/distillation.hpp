// SPDX-License-Identifier: MIT
// nn/distillation.hpp: the divergence of a student's logits from a teacher's.
#ifndef LRQAT_NN_DISTILLATION_HPP
#define LRQAT_NN_DISTILLATION_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/exp.hpp>
#include <lrqat/kernel/reduce.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/nn/rows.hpp>

#include <cmath>
#include <cstddef>
#include <span>
#include <type_traits>

namespace lrqat {

/// losses[t] = tau^2 KL(softmax(teacher(t) / tau) || softmax(logits(t) / tau)) in nats (Hinton et al.,
/// arXiv 1503.02531); overwrites the logits with `factor` times the gradients of their losses,
/// factor tau (softmax(logits / tau) - softmax(teacher / tau)). A student equal to its teacher loses
/// nothing. Sums are double.
///
/// @param logits, teacher  (tokens, vocab)   @param tau  temperature, positive   @param losses  (tokens)
template <class T>
void distillation_with_gradient(MatrixView<T> logits, MatrixView<const std::type_identity_t<T>> teacher,
                                double tau, double factor, std::span<double> losses) {
  expects(teacher.shape() == logits.shape() && losses.size() == logits.rows,
          "distillation: logits (", logits.rows, ", ", logits.cols, "), those of the teacher (",
          teacher.rows, ", ", teacher.cols, "), room for ", losses.size(), " losses");
  expects(tau > 0 && std::isfinite(tau), "distillation: the temperature is ", tau,
          ", it must be positive");
  const T inverse = static_cast<T>(1 / tau);
  for_rows(logits.rows, [=](std::size_t first, std::size_t last) {
    const std::size_t vocab = logits.cols;
    const std::span<T> wanted = scratch<struct wanted_slot, T>(1, vocab).row(0);
    const std::span<T> distance = scratch<struct distance_slot, T>(1, vocab).row(0);
    for (std::size_t t = first; t < last; ++t) {
      T* const student = logits.row(t).data();
      const T* const from = teacher.row(t).data();
      T *const p = wanted.data(), *const apart = distance.data();
      const T own_largest = kernel::max_over<T>(student, vocab);
      const T largest = kernel::max_over<T>(from, vocab);
      // p and q before they are divided by their sums, and log p - log q up to those sums.
      kernel::for_each_lane(vocab, [=](std::size_t i) {
        const T a = (from[i] - largest) * inverse, b = (student[i] - own_largest) * inverse;
        apart[i] = a - b;
        p[i] = kernel::exp(a);
        student[i] = kernel::exp(b);
      });
      const double sum = kernel::sum_over<double>(vocab, [=](std::size_t i) { return p[i]; });
      const double own_sum =
          kernel::sum_over<double>(vocab, [=](std::size_t i) { return student[i]; });
      const double weighted =
          kernel::sum_over<double>(vocab, [=](std::size_t i) { return p[i] * apart[i]; });
      losses[t] = tau * tau * (weighted / sum + std::log(own_sum) - std::log(sum));
      const T own_share = static_cast<T>(factor * tau / own_sum);
      const T share = static_cast<T>(factor * tau / sum);
      kernel::for_each_lane(
          vocab, [=](std::size_t i) { student[i] = student[i] * own_share - p[i] * share; });
    }
  });
}

}  // namespace lrqat

#endif  // LRQAT_NN_DISTILLATION_HPP
