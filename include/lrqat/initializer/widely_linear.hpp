// SPDX-License-Identifier: MIT
// initializer/widely_linear.hpp: a real weight as two complex ones, without loss.
#ifndef LRQAT_INITIALIZER_WIDELY_LINEAR_HPP
#define LRQAT_INITIALIZER_WIDELY_LINEAR_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/quant_options.hpp>

#include <cstddef>

namespace lrqat {

/// U z + V conj(z), both (out / 2, in) with the parts of a complex weight beside each other.
struct WidelyLinear {
  Shape shape;  // (out / 2, in)
  AlignedVector<float> direct, conjugate;

  MatrixView<const float> direct_weight() const { return {direct.data(), shape.rows, shape.cols}; }
  MatrixView<const float> conjugate_weight() const {
    return {conjugate.data(), shape.rows, shape.cols};
  }
};

/// Any real matrix of even shape acts on the pairs of its inputs as one complex matrix on z and
/// another on conj(z) (Fairy2i, Wang et al., arXiv 2512.02901): a block (p, q; r, s) of two rows
/// and two columns is u = ((p + s) + i (r - q)) / 2 and v = ((p - s) + i (r + q)) / 2. Each sum is
/// rounded once: together they give p and s back within 2^-23 (|p| + |s|), and so q and r.
///
/// Fairy2i pairs input j with input j + in / 2, where here it is the next one: another order of
/// inputs and outputs, which quantizes alike where their order has no meaning.
/// @param weight  (out, in)
/// @throws Error when the weight is empty or out or in is odd
inline WidelyLinear widely_linear(MatrixView<const float> weight) {
  expects(weight.rows > 0 && weight.cols > 0 && weight.rows % 2 == 0 && weight.cols % 2 == 0,
          "widely_linear: the weight (out, in) is (", weight.rows, ", ", weight.cols,
          "), both must be even");
  const Shape shape{weight.rows / 2, weight.cols};
  WidelyLinear parts{shape, AlignedVector<float>(shape.size()), AlignedVector<float>(shape.size())};
  for (std::size_t i = 0; i < weight.rows; i += 2)
    for (std::size_t j = 0; j < weight.cols; j += 2) {
      const float p = weight(i, j), q = weight(i, j + 1), r = weight(i + 1, j),
                  s = weight(i + 1, j + 1);
      const std::size_t at = i / 2 * weight.cols + j;
      parts.direct[at] = (p + s) / 2;
      parts.direct[at + 1] = (r - q) / 2;
      parts.conjugate[at] = (p - s) / 2;
      parts.conjugate[at + 1] = (r + q) / 2;
    }
  return parts;
}

/// A layer of the two forms DirectForm, ConjugateForm that starts from a real weight (out, in).
/// @throws Error like widely_linear() and the layer's constructor
template <class Layer>
Layer widely_linear_layer(MatrixView<const float> weight, const QuantOptions& options = {}) {
  const WidelyLinear parts = widely_linear(weight);
  return Layer({parts.direct_weight(), parts.conjugate_weight()}, options);
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_WIDELY_LINEAR_HPP
