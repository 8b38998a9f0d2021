// SPDX-License-Identifier: MIT
// parameterization/complex_codes.hpp: complex weights as they are deployed, two bits a stage.
#ifndef LRQAT_PARAMETERIZATION_COMPLEX_CODES_HPP
#define LRQAT_PARAMETERIZATION_COMPLEX_CODES_HPP

#include <lrqat/concept/granularity.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scale_layout.hpp>
#include <lrqat/parameterization/complex_forms.hpp>

#include <array>
#include <cstddef>
#include <vector>

namespace lrqat {

template <std::size_t Stages, Granularity Gran, class... Forms>
class ComplexWeight;  // complex_weight.hpp, for whoever makes codes

/// The codes and scales of a ComplexWeight: the same real weight to the bit, and nothing that
/// trains. Each stage of each form takes 2 bits a complex weight, four weights a byte, each row
/// from a byte on. Tiles begin and end between pairs.
template <std::size_t Stages, Granularity Gran, class... Forms>
class ComplexCodes {
 public:
  static constexpr bool trains_weight = false;
  static constexpr std::size_t forms = sizeof...(Forms);

  /// @throws Error when a weight is not finite, as after a diverged training
  explicit ComplexCodes(const ComplexWeight<Stages, Gran, Forms...>& trained)
      : complex_shape_(trained.complex_shape()), layout_(trained.layout()) {
    trained.expect_finite();
    for (std::size_t form = 0; form < forms; ++form) {
      scales_[form].assign(trained.scales(form).begin(), trained.scales(form).end());
      codes_[form].resize(Stages * complex_shape_.rows * row_bytes());
      for (std::size_t row = 0; row < complex_shape_.rows; ++row)
        for (std::size_t col = 0; col < complex_shape_.cols; ++col)
          trained.for_each_code(form, row, col, [&](std::size_t stage, int code) {
            byte(form, stage, row, col) |= static_cast<std::byte>(code << (2 * (col % 4)));
          });
    }
  }

  Shape shape() const { return {2 * complex_shape_.rows, 2 * complex_shape_.cols}; }
  /// The exponent of i, 0 .. 3.
  int code(std::size_t form, std::size_t stage, std::size_t row, std::size_t col) const {
    const std::size_t at = (stage * complex_shape_.rows + row) * row_bytes() + col / 4;
    return std::to_integer<int>(codes_[form][at] >> (2 * (col % 4))) & 3;
  }
  std::size_t code_bytes() const { return forms * codes_[0].size(); }
  std::size_t scale_bytes() const { return forms * scales_[0].size() * sizeof(ComplexScales); }

  void weight(const Tile& tile, MatrixView<float> w) const {
    detail::for_each_pair(tile, [&](auto i, auto j, auto row, auto col) {
      RealBlock sum;
      std::size_t form = 0;
      ((sum = detail::sum_of(sum, Forms::block(quantized(form++, row, col)))), ...);
      detail::write_block(sum, w, i, j);
    });
  }

 private:
  std::size_t row_bytes() const { return (complex_shape_.cols + 3) / 4; }
  std::byte& byte(std::size_t form, std::size_t stage, std::size_t row, std::size_t col) {
    return codes_[form][(stage * complex_shape_.rows + row) * row_bytes() + col / 4];
  }
  ComplexParts quantized(std::size_t form, std::size_t row, std::size_t col) const {
    ComplexParts sum;
    for (std::size_t stage = 0; stage < Stages; ++stage) {
      const ComplexScales scales = scales_[form][stage * layout_.size() + layout_.index(row, col)];
      const ComplexParts level = detail::complex_level(code(form, stage, row, col), scales);
      sum = {sum.re + level.re, sum.im + level.im};
    }
    return sum;
  }

  Shape complex_shape_;
  ScaleLayout layout_;
  std::array<AlignedVector<std::byte>, forms> codes_;
  std::array<std::vector<ComplexScales>, forms> scales_;
};

}  // namespace lrqat

#endif  // LRQAT_PARAMETERIZATION_COMPLEX_CODES_HPP
