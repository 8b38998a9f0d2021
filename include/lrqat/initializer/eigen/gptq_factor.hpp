// SPDX-License-Identifier: MIT
// initializer/eigen/gptq_factor.hpp: what GPTQ needs of the inputs, by Eigen's Cholesky. Opt-in.
#ifndef LRQAT_INITIALIZER_EIGEN_GPTQ_FACTOR_HPP
#define LRQAT_INITIALIZER_EIGEN_GPTQ_FACTOR_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/initializer/gptq.hpp>
#include <lrqat/initializer/input_statistics.hpp>

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace lrqat {

/// In which order GPTQ takes the inputs: as they stand, or those of the largest mean square first
/// ("act-order"; equals as they stand).
enum class GptqOrder { ascending, largest_first };

struct GptqFactorOptions {
  double damping = 0.01;  // of the mean of H's diagonal, added to it
  GptqOrder order = GptqOrder::ascending;
};

/// U of GPTQ, with H = 2 / tokens sum x x^T, 1 on the diagonal of inputs that were always 0, plus
/// damping mean(diag H) I; then H^-1 = U^T U, U upper triangular.
///
/// The published code takes a Cholesky factor, inverts, and takes the factor of the inverse. Here
/// the factor of H with rows and columns in reverse, L L^T, is inverted as a triangle: U is L^-1 in
/// reverse. The same matrix with fewer roundings; in double, kept as float. Eigen's factorization
/// runs on the calling thread.
///
/// Errors: no tokens; no Gram matrix; all inputs 0 in all tokens; a damping that is negative or not
/// enough to make H positive definite.
inline GptqFactor gptq_factor(const InputStatistics& inputs, GptqFactorOptions options = {}) {
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic>;
  const MatrixView<const double> gram = inputs.gram();
  const std::size_t in = gram.rows;
  expects(options.damping >= 0 && std::isfinite(options.damping), "gptq_factor: a damping of ",
          options.damping, ", it is a fraction of the mean of H's diagonal");
  GptqFactor factor{AlignedVector<float>(in * in), std::vector<std::uint32_t>(in),
                    std::vector<std::uint8_t>(in)};
  std::iota(factor.order.begin(), factor.order.end(), 0u);
  if (options.order == GptqOrder::largest_first)
    std::stable_sort(factor.order.begin(), factor.order.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return gram(a, a) > gram(b, b); });

  const double unit = 2 / static_cast<double>(inputs.tokens());
  double trace = 0;
  std::size_t dead = 0;
  for (std::size_t j = 0; j < in; ++j) {
    factor.dead[j] = gram(j, j) == 0;
    dead += factor.dead[j];
    trace += factor.dead[j] ? 1.0 : unit * gram(j, j);
  }
  expects(dead < in, "gptq_factor: all ", in, " inputs are 0 in all ", inputs.tokens(),
          " tokens; calibrate with other text");
  const double damping = options.damping * trace / static_cast<double>(in);

  const auto reversed = [in](std::size_t k) { return static_cast<Eigen::Index>(in - 1 - k); };
  Matrix hessian(static_cast<Eigen::Index>(in), static_cast<Eigen::Index>(in));
  for (std::size_t a = 0; a < in; ++a) {
    const std::size_t i = factor.order[a];
    for (std::size_t b = 0; b < in; ++b)
      hessian(reversed(a), reversed(b)) = unit * gram(i, factor.order[b]);
    hessian(reversed(a), reversed(a)) = (factor.dead[i] ? 1.0 : unit * gram(i, i)) + damping;
  }
  const Eigen::LLT<Eigen::Ref<Matrix>> cholesky(hessian);
  expects(cholesky.info() == Eigen::Success, "gptq_factor: the Gram matrix of ", inputs.tokens(),
          " tokens and ", in, " inputs is not positive definite with a damping of ",
          options.damping, "; raise it");
  Matrix inverse = Matrix::Identity(hessian.rows(), hessian.cols());
  cholesky.matrixL().solveInPlace(inverse);
  for (std::size_t a = 0; a < in; ++a)
    for (std::size_t b = a; b < in; ++b)
      factor.upper[a * in + b] = static_cast<float>(inverse(reversed(a), reversed(b)));
  return factor;
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_EIGEN_GPTQ_FACTOR_HPP
