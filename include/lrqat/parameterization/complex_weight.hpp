// SPDX-License-Identifier: MIT
// parameterization/complex_weight.hpp: complex weights as pairs of real rows and columns.
#ifndef LRQAT_PARAMETERIZATION_COMPLEX_WEIGHT_HPP
#define LRQAT_PARAMETERIZATION_COMPLEX_WEIGHT_HPP

#include <lrqat/concept/granularity.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/core/quant_options.hpp>
#include <lrqat/core/scale_layout.hpp>
#include <lrqat/grid/complex4.hpp>
#include <lrqat/parameterization/complex_forms.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace lrqat {

/// No scale of a complex weight is below this (iFairy's floor).
inline constexpr float complex_scale_floor = 1e-5f;

/// The sum of one complex matrix (out / 2, in / 2) for each of Forms, as a real weight (out, in):
/// row 2i gives the real part of output i and row 2i + 1 the imaginary one, columns likewise. Each
/// complex weight is the sum of Stages roots of unity times scales, each stage rounding what the
/// ones before left (the recursion of Fairy2i, arXiv 2512.02901; 1 stage is iFairy). Scales are the
/// means of |re w| over weights on 1 and -1 and of |im w| over those on i and -i in each cell of
/// the granularity; measure() takes them anew. Gradients pass straight through to both parts.
///
/// This is what a backend asks of a parameterization (parameterization.hpp) with tiles that begin
/// and end between pairs.
template <std::size_t Stages, Granularity Gran, class... Forms>
class ComplexWeight {
 public:
  static_assert(Stages >= 1, "ComplexWeight<Stages, ...>: at least one stage.");
  static_assert(
      sizeof...(Forms) >= 1,
      "ComplexWeight<...>: say what the weights multiply: DirectForm, ConjugateForm or both.");
  static constexpr bool trains_weight = true;
  static constexpr std::size_t forms = sizeof...(Forms), stages = Stages;
  using Matrices = std::array<MatrixView<const float>, forms>;

  /// @param weights  one (out / 2, in) for each form, columns 2j and 2j + 1 the parts of weight j
  /// @throws Error when a shape differs, is empty or of an odd width, or a weight is not finite
  explicit ComplexWeight(const Matrices& weights, const QuantOptions& options = {})
      : complex_shape_{weights[0].rows, weights[0].cols / 2} {
    for (const MatrixView<const float>& each : weights)
      expects(each.rows > 0 && each.cols > 0 && each.cols % 2 == 0 &&
                  each.shape() == weights[0].shape(),
              "ComplexWeight: complex weights (out / 2, in) of (", each.rows, ", ", each.cols,
              ") and (", weights[0].rows, ", ", weights[0].cols, "); an even width is needed");
    layout_ = Gran::layout(complex_shape_, options);
    for (std::size_t form = 0; form < forms; ++form) {
      for (std::size_t i = 0; i < complex_shape_.rows; ++i) {
        const auto row = weights[form].row(i);
        latent_[form].insert(latent_[form].end(), row.begin(), row.end());
      }
      gradient_[form].resize(latent_[form].size());
      scales_[form].resize(Stages * layout_.size());
    }
    measure();
  }

  /// (out, in), of reals.
  Shape shape() const { return {2 * complex_shape_.rows, 2 * complex_shape_.cols}; }
  Shape complex_shape() const { return complex_shape_; }
  const ScaleLayout& layout() const { return layout_; }  // of the complex weights
  /// Of one form: first stage first, cells in layout order.
  std::span<const ComplexScales> scales(std::size_t form) const { return scales_[form]; }

  /// "direct" and "conjugate", those that are among the forms: (out / 2, in) each.
  Parameters<float> parameters() {
    Parameters<float> all;
    std::size_t form = 0;
    ((all.push_back({Forms::name, Role::weight, latent_[form], gradient_[form]}), ++form), ...);
    return all;
  }

  /// Scales from the weights as they are now, stage after stage. The same bits for any number of
  /// threads.
  /// @throws Error when a weight is not finite
  void measure() {
    expect_finite();
    for (std::size_t form = 0; form < forms; ++form)
      for (std::size_t stage = 0; stage < Stages; ++stage) measure(form, stage);
  }

  /// @throws Error when a weight is not finite, which no root of unity shows
  void expect_finite() const {
    for (std::size_t form = 0; form < forms; ++form)
      for (std::size_t row = 0; row < complex_shape_.rows; ++row)
        for (std::size_t col = 0; col < complex_shape_.cols; ++col) {
          const ComplexParts weight = latent(form, row, col);
          expects(std::isfinite(weight.re) && std::isfinite(weight.im), "ComplexWeight: weight (",
                  row, ", ", col, ") is not finite");
        }
  }

  /// Calls visit(stage, code) for the stages of a complex weight.
  template <class Visit>
  void for_each_code(std::size_t form, std::size_t row, std::size_t col, Visit visit) const {
    ComplexParts left = latent(form, row, col);
    for (std::size_t stage = 0; stage < Stages; ++stage) {
      const int code = Complex4::code(left.re, left.im);
      const ComplexParts level = detail::complex_level(code, scale(form, stage, row, col));
      left = {left.re - level.re, left.im - level.im};
      visit(stage, code);
    }
  }

  void weight(const Tile& tile, MatrixView<float> w) const {
    detail::for_each_pair(tile, [&](auto i, auto j, auto row, auto col) {
      RealBlock sum;
      std::size_t form = 0;
      ((sum = detail::sum_of(sum, Forms::block(quantized(form++, row, col)))), ...);
      detail::write_block(sum, w, i, j);
    });
  }
  void rebuild(const Tile& tile, MatrixView<float>, MatrixView<float> w) const { weight(tile, w); }
  void latent(const Tile&, MatrixView<float>) const {}  // the backward pass needs none
  void dequantize(const Tile& tile, MatrixView<const float>, MatrixView<float> w) const {
    weight(tile, w);
  }

  std::size_t shared_gradients(std::size_t = 0) const { return 0; }
  /// Adds the tile's gradients, g = dL/dW_hat.
  void backward(const Tile& tile, MatrixView<const float>, MatrixView<float> g, std::span<float>) {
    detail::for_each_pair(tile, [&](auto i, auto j, auto row, auto col) {
      const RealBlock block{g(i, j), g(i, j + 1), g(i + 1, j), g(i + 1, j + 1)};
      std::size_t form = 0;
      (add(Forms::gradient(block), gradient_[form++], row, col), ...);
    });
  }
  void reduce(std::span<const float>) {}

 private:
  void add(ComplexParts parts, AlignedVector<float>& sums, std::size_t row, std::size_t col) const {
    const std::size_t at = 2 * (row * complex_shape_.cols + col);
    sums[at] += parts.re;
    sums[at + 1] += parts.im;
  }

  ComplexParts latent(std::size_t form, std::size_t row, std::size_t col) const {
    const std::size_t at = 2 * (row * complex_shape_.cols + col);
    return {latent_[form][at], latent_[form][at + 1]};
  }
  ComplexScales scale(std::size_t form, std::size_t stage, std::size_t row, std::size_t col) const {
    return scales_[form][stage * layout_.size() + layout_.index(row, col)];
  }
  ComplexParts quantized(std::size_t form, std::size_t row, std::size_t col) const {
    ComplexParts sum;
    for_each_code(form, row, col, [&](std::size_t stage, int code) {
      const ComplexParts level = detail::complex_level(code, scale(form, stage, row, col));
      sum = {sum.re + level.re, sum.im + level.im};
    });
    return sum;
  }

  void measure(std::size_t form, std::size_t stage) {
    struct Sums {
      double real = 0, imaginary = 0;
      std::size_t reals = 0, imaginaries = 0;
    };
    std::vector<Sums> sums(layout_.size());
    for (std::size_t row = 0; row < complex_shape_.rows; ++row)
      for (std::size_t col = 0; col < complex_shape_.cols; ++col) {
        ComplexParts left = latent(form, row, col);
        for (std::size_t before = 0; before < stage; ++before) {
          const int code = Complex4::code(left.re, left.im);
          const ComplexParts level = detail::complex_level(code, scale(form, before, row, col));
          left = {left.re - level.re, left.im - level.im};
        }
        Sums& cell = sums[layout_.index(row, col)];
        if (Complex4::is_real(Complex4::code(left.re, left.im)))
          cell.real += std::fabs(static_cast<double>(left.re)), ++cell.reals;
        else
          cell.imaginary += std::fabs(static_cast<double>(left.im)), ++cell.imaginaries;
      }
    const auto mean = [](double sum, std::size_t count) {
      const double value = count == 0 ? 0.0 : sum / static_cast<double>(count);
      return std::max(static_cast<float>(value), complex_scale_floor);
    };
    for (std::size_t cell = 0; cell < sums.size(); ++cell)
      scales_[form][stage * layout_.size() + cell] = {
          mean(sums[cell].real, sums[cell].reals),
          mean(sums[cell].imaginary, sums[cell].imaginaries)};
  }

  Shape complex_shape_;
  ScaleLayout layout_{};
  std::array<AlignedVector<float>, forms> latent_, gradient_;
  std::array<std::vector<ComplexScales>, forms> scales_;
};

}  // namespace lrqat

#endif  // LRQAT_PARAMETERIZATION_COMPLEX_WEIGHT_HPP
