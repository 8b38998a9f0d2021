// SPDX-License-Identifier: MIT
// input/complex_input.hpp: real and imaginary parts of activations quantized apart.
#ifndef LRQAT_INPUT_COMPLEX_INPUT_HPP
#define LRQAT_INPUT_COMPLEX_INPUT_HPP

#include <lrqat/concept/input_quantizer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/input/dynamic_input.hpp>

#include <cstddef>
#include <span>

namespace lrqat {

/// Part quantizes the real parts of a token, and by themselves the imaginary ones (iFairy, arXiv
/// 2508.05571, with SymmetricInput<8>); they take turns, real first.
/// Errors: an odd width.
template <InputQuantizer Part>
struct ComplexInput {
  using policy_kind = kind::input;
  static constexpr bool quantizes = Part::quantizes;

  static void forward(std::span<const float> x, std::span<float> x_hat) {
    const MatrixView<float> parts = scratch<struct parts_slot>(2, x.size() / 2);
    split(x, parts);
    for (std::size_t part = 0; part < 2; ++part) Part::forward(parts.row(part), parts.row(part));
    join(parts, x_hat);
  }
  static void backward(std::span<const float> x, std::span<float> grad) {
    const MatrixView<float> parts = scratch<struct parts_slot>(2, x.size() / 2);
    const MatrixView<float> gradients = scratch<struct gradients_slot>(2, x.size() / 2);
    split(x, parts);
    split(grad, gradients);
    for (std::size_t part = 0; part < 2; ++part)
      Part::backward(parts.row(part), gradients.row(part));
    join(gradients, grad);
  }

 private:
  static void split(std::span<const float> from, MatrixView<float> parts) {
    expects(from.size() % 2 == 0, "ComplexInput: a token of ", from.size(),
            " numbers, real and imaginary parts need an even count");
    for (std::size_t j = 0; j < parts.cols; ++j)
      parts(0, j) = from[2 * j], parts(1, j) = from[2 * j + 1];
  }
  static void join(MatrixView<const float> parts, std::span<float> to) {
    for (std::size_t j = 0; j < parts.cols; ++j)
      to[2 * j] = parts(0, j), to[2 * j + 1] = parts(1, j);
  }
};

static_assert(InputQuantizer<ComplexInput<SymmetricInput<8>>>);

}  // namespace lrqat

#endif  // LRQAT_INPUT_COMPLEX_INPUT_HPP
