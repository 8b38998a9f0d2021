// SPDX-License-Identifier: MIT
// initializer/eigen/lqer.hpp: a quantization error rebuilt by a branch of low rank.
#ifndef LRQAT_INITIALIZER_EIGEN_LQER_HPP
#define LRQAT_INITIALIZER_EIGEN_LQER_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/initializer/eigen/svd_low_rank.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace lrqat {

namespace detail {

/// W - W_q = A B with (W - W_q) diag(a) = V S U^T: A = V_k S_k, B = U_k^T diag(a)^-1.
inline LowRankFactors weighted_error(const char* who, MatrixView<const float> weight,
                                     MatrixView<const float> quantized, const Eigen::VectorXd& a,
                                     std::size_t rank) {
  expects(weight.shape() == quantized.shape(), who, ": the weight is (", weight.rows, ", ",
          weight.cols, "), the quantized one (", quantized.rows, ", ", quantized.cols, ")");
  expect_rank(who, weight.shape(), rank);
  const OneEigenThread alone;
  const Eigen::MatrixXd error = eigen_matrix(who, weight) - eigen_matrix(who, quantized);
  const auto svd = thin_svd(who, error * a.asDiagonal());
  const Eigen::Index k = eigen_index(rank);
  return factors_of(svd.u.leftCols(k) * svd.s.head(k).asDiagonal(),
                    svd.v.leftCols(k).transpose() * a.cwiseInverse().asDiagonal());
}

}  // namespace detail

/// LQER (Zhang et al., arXiv 2402.02446): A B, the nearest of that rank to weight - quantized, both
/// (out, in), with the singular values in A. In the paper's letters B is P^T and A is R^T.
/// @throws Error when shapes differ, the rank is not 1 .. min(out, in) or a number is not finite
inline LowRankFactors lqer(MatrixView<const float> weight, MatrixView<const float> quantized,
                           std::size_t rank) {
  return detail::weighted_error("lqer", weight, quantized,
                                Eigen::VectorXd::Ones(detail::eigen_index(weight.cols)), rank);
}

/// L2QER: the same where input j counts `magnitudes[j]` times, its largest mean |x_j| over batches
/// of calibration data. Magnitudes are raised to 1e-4 and divided by sqrt(smallest * largest).
/// @throws Error also when a magnitude is not finite or there are not `in` of them
inline LowRankFactors l2qer(MatrixView<const float> weight, MatrixView<const float> quantized,
                            std::span<const float> magnitudes, std::size_t rank) {
  expects(magnitudes.size() == weight.cols && !magnitudes.empty(), "l2qer: ", magnitudes.size(),
          " magnitudes of ", weight.cols, " inputs");
  Eigen::VectorXd a(detail::eigen_index(weight.cols));
  for (std::size_t j = 0; j < magnitudes.size(); ++j) {
    expects(std::isfinite(magnitudes[j]), "l2qer: magnitude ", j, " is not finite");
    a(detail::eigen_index(j)) = std::max(static_cast<double>(magnitudes[j]), 1e-4);
  }
  a /= std::sqrt(a.minCoeff() * a.maxCoeff());
  return detail::weighted_error("l2qer", weight, quantized, a, rank);
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_EIGEN_LQER_HPP
