// SPDX-License-Identifier: MIT
// nn/swiglu.hpp: the gate of a LLaMA's MLP, silu(gate) * up.
#ifndef LRQAT_NN_SWIGLU_HPP
#define LRQAT_NN_SWIGLU_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/kernel/exp.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/nn/rows.hpp>  // for_rows

#include <cstddef>
#include <type_traits>

namespace lrqat {

/// y = silu(gate) * up with silu(g) = g / (1 + e^-g) (Shazeer 2020).
///
/// @param gate, up  (tokens, hidden)      @param y  (tokens, hidden), overwritten
template <class T>
void swiglu_forward(MatrixView<const std::type_identity_t<T>> gate,
                    MatrixView<const std::type_identity_t<T>> up, MatrixView<T> y) {
  expects(gate.shape() == up.shape() && gate.shape() == y.shape(), "swiglu_forward: gate is (",
          gate.rows, ", ", gate.cols, "), up (", up.rows, ", ", up.cols, "), y (", y.rows, ", ",
          y.cols, ")");
  for_rows(gate.rows, [=](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) {
      const T* const g = gate.row(row).data();
      const T* const u = up.row(row).data();
      T* const to = y.row(row).data();
      kernel::for_each_lane(
          gate.cols, [=](std::size_t i) { to[i] = g[i] / (T(1) + kernel::exp(-g[i])) * u[i]; });
    }
  });
}

/// Overwrites grad_gate and grad_up, (tokens, hidden); grad_up may be grad_y itself.
template <class T>
void swiglu_backward(MatrixView<const std::type_identity_t<T>> gate,
                     MatrixView<const std::type_identity_t<T>> up,
                     MatrixView<const std::type_identity_t<T>> grad_y, MatrixView<T> grad_gate,
                     MatrixView<std::type_identity_t<T>> grad_up) {
  expects(gate.shape() == up.shape() && gate.shape() == grad_y.shape() &&
              gate.shape() == grad_gate.shape() && gate.shape() == grad_up.shape(),
          "swiglu_backward: gate is (", gate.rows, ", ", gate.cols, "), up (", up.rows, ", ",
          up.cols, "), grad_y (", grad_y.rows, ", ", grad_y.cols, "), grad_gate (", grad_gate.rows,
          ", ", grad_gate.cols, "), grad_up (", grad_up.rows, ", ", grad_up.cols, ")");
  for_rows(gate.rows, [=](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) {
      const T* const g = gate.row(row).data();
      const T* const u = up.row(row).data();
      const T* const dy = grad_y.row(row).data();
      T* const dg = grad_gate.row(row).data();
      T* const du = grad_up.row(row).data();
      kernel::for_each_lane(gate.cols, [=](std::size_t i) {
        const T sigmoid = T(1) / (T(1) + kernel::exp(-g[i]));
        const T silu = g[i] * sigmoid, dyi = dy[i];
        dg[i] = dyi * u[i] * (sigmoid + silu * (T(1) - sigmoid));
        du[i] = dyi * silu;
      });
    }
  });
}

}  // namespace lrqat

#endif  // LRQAT_NN_SWIGLU_HPP
