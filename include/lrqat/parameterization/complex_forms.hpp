// SPDX-License-Identifier: MIT
// parameterization/complex_forms.hpp: what a complex weight is as real entries, and back.
#ifndef LRQAT_PARAMETERIZATION_COMPLEX_FORMS_HPP
#define LRQAT_PARAMETERIZATION_COMPLEX_FORMS_HPP

#include <lrqat/core/matrix_view.hpp>
#include <lrqat/grid/complex4.hpp>

#include <cassert>
#include <cstddef>

namespace lrqat {

/// A complex number or weight, as the library keeps them: real part, imaginary part, next number.
struct ComplexParts {
  float re = 0.0f, im = 0.0f;
};

/// Real entries of a complex weight that multiplies a pair (re z, im z), and what flows back to its
/// parts from the gradients of those entries.
struct RealBlock {
  float rr = 0.0f, ri = 0.0f, ir = 0.0f, ii = 0.0f;
};

/// w z.
struct DirectForm {
  static constexpr const char* name = "direct";
  static constexpr RealBlock block(ComplexParts w) { return {w.re, -w.im, w.im, w.re}; }
  static constexpr ComplexParts gradient(RealBlock g) { return {g.rr + g.ii, g.ir - g.ri}; }
};
/// w conj(z), iFairy's product.
struct ConjugateForm {
  static constexpr const char* name = "conjugate";
  static constexpr RealBlock block(ComplexParts w) { return {w.re, w.im, w.im, -w.re}; }
  static constexpr ComplexParts gradient(RealBlock g) { return {g.rr - g.ii, g.ri + g.ir}; }
};

/// The scales of a cell: of 1 and -1, and of i and -i.
struct ComplexScales {
  float real = 0.0f, imaginary = 0.0f;
};

namespace detail {

constexpr RealBlock sum_of(RealBlock a, RealBlock b) {
  return {a.rr + b.rr, a.ri + b.ri, a.ir + b.ir, a.ii + b.ii};
}
/// Into rows i, i + 1 and columns j, j + 1 of w.
inline void write_block(RealBlock block, MatrixView<float> w, std::size_t i, std::size_t j) {
  w(i, j) = block.rr, w(i, j + 1) = block.ri;
  w(i + 1, j) = block.ir, w(i + 1, j + 1) = block.ii;
}

/// What a weight is rounded to on these scales.
constexpr ComplexParts complex_level(int code, ComplexScales scales) {
  const float sign = Complex4::sign(code);
  return Complex4::is_real(code) ? ComplexParts{sign * scales.real, 0.0f}
                                 : ComplexParts{0.0f, sign * scales.imaginary};
}

/// f(row in the tile, column in it, complex row, complex column) for each complex weight of a tile
/// of reals. @pre it begins and ends between pairs
template <class F>
void for_each_pair(const Tile& tile, F f) {
  assert(tile.row % 2 == 0 && tile.col % 2 == 0 && tile.rows % 2 == 0 && tile.cols % 2 == 0);
  for (std::size_t i = 0; i < tile.rows; i += 2)
    for (std::size_t j = 0; j < tile.cols; j += 2) f(i, j, (tile.row + i) / 2, (tile.col + j) / 2);
}

}  // namespace detail

}  // namespace lrqat

#endif  // LRQAT_PARAMETERIZATION_COMPLEX_FORMS_HPP
