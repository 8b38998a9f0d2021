// SPDX-License-Identifier: MIT
// backend/reference.hpp: the passes of a layer as the formulas read, in double precision.
#ifndef LRQAT_BACKEND_REFERENCE_HPP
#define LRQAT_BACKEND_REFERENCE_HPP

#include <lrqat/concept/backend.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/matrix_view.hpp>

#include <cstddef>

namespace lrqat {

/// The oracle of the other backends: one tile that is the whole weight, plain loops, sums in
/// double. It makes weight-sized temporaries and is slow; integers are those of every backend.
struct Reference {
  using policy_kind = kind::backend;

  template <class Weight>
  static void forward(const Weight& weight, MatrixView<const float> x, MatrixView<float> y) {
    const Shape shape = weight.shape();
    AlignedVector<float> buffer(shape.size());
    const MatrixView<float> w(buffer.data(), shape.rows, shape.cols);
    weight.weight({0, 0, shape.rows, shape.cols}, w);
    for (std::size_t t = 0; t < x.rows; ++t)
      for (std::size_t i = 0; i < shape.rows; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < shape.cols; ++j)
          sum += static_cast<double>(x(t, j)) * static_cast<double>(w(i, j));
        y(t, i) = static_cast<float>(sum);
      }
  }

  template <class P>
  static void backward(P& parameterization, MatrixView<const float> x,
                       MatrixView<const float> grad_y, MatrixView<float> grad_x) {
    const Shape shape = parameterization.shape();
    const Tile whole{0, 0, shape.rows, shape.cols};
    AlignedVector<float> z_buffer(shape.size()), w_buffer(shape.size());
    const MatrixView<float> z(z_buffer.data(), shape.rows, shape.cols);
    const MatrixView<float> w(w_buffer.data(), shape.rows, shape.cols);
    parameterization.latent(whole, z);
    parameterization.dequantize(whole, z, w);
    for (std::size_t t = 0; t < x.rows; ++t)
      for (std::size_t j = 0; j < shape.cols; ++j) {
        double sum = 0;
        for (std::size_t i = 0; i < shape.rows; ++i)
          sum += static_cast<double>(grad_y(t, i)) * static_cast<double>(w(i, j));
        grad_x(t, j) = static_cast<float>(sum);
      }
    if constexpr (P::trains_weight) {
      const auto g = w;
      for (std::size_t i = 0; i < shape.rows; ++i)
        for (std::size_t j = 0; j < shape.cols; ++j) {
          double sum = 0;
          for (std::size_t t = 0; t < x.rows; ++t)
            sum += static_cast<double>(grad_y(t, i)) * static_cast<double>(x(t, j));
          g(i, j) = static_cast<float>(sum);
        }
      AlignedVector<float> shared(parameterization.shared_gradients());
      parameterization.backward(whole, z, g, shared);
      parameterization.reduce(shared);
    }
  }
};

static_assert(Backend<Reference>);

}  // namespace lrqat

#endif  // LRQAT_BACKEND_REFERENCE_HPP
