// SPDX-License-Identifier: MIT
// initializer/eigen/shrink.hpp: an adapter goes on with fewer columns.
#ifndef LRQAT_INITIALIZER_EIGEN_SHRINK_HPP
#define LRQAT_INITIALIZER_EIGEN_SHRINK_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/initializer/eigen/svd_low_rank.hpp>

#include <Eigen/QR>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace lrqat {

namespace detail {

/// matrix (n, r) = Q (n, m) R (m, r), m = min(n, r).
inline std::pair<Eigen::MatrixXd, Eigen::MatrixXd> thin_qr(const Eigen::MatrixXd& matrix) {
  const Eigen::Index m = std::min(matrix.rows(), matrix.cols());
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(matrix);
  Eigen::MatrixXd r = qr.matrixQR().topRows(m).triangularView<Eigen::Upper>();
  return {qr.householderQ() * Eigen::MatrixXd::Identity(matrix.rows(), m), std::move(r)};
}

}  // namespace detail

/// Cuts a GatedLowRank adapter down to `rank` columns, those of the largest singular values of A
/// diag(gates) B, as U sqrt(S) and sqrt(S) V^T with gates of 1; the least important come last and
/// fade next (QVGen, arXiv 2505.11497). Where no more than `rank` gates are above 0, the product stays
/// what it is but for rounding. No matrix of the weight's size is made.
/// @throws Error when the rank is more than the adapter has
template <class State>
void shrink(State& adapter, std::size_t rank) {
  expects(rank <= adapter.rank(), "shrink: rank ", rank, " of an adapter of rank ", adapter.rank());
  const std::size_t out = adapter.a().rows, in = adapter.b().cols;
  if (rank == 0) return adapter.set_factors({nullptr, out, 0}, {nullptr, 0, in});
  const detail::OneEigenThread alone;
  const auto gates = adapter.gates();
  Eigen::MatrixXd a = detail::eigen_matrix("shrink", adapter.a());
  for (std::size_t k = 0; k < gates.size(); ++k)
    a.col(detail::eigen_index(k)) *= static_cast<double>(gates[k]);
  const auto [q_a, r_a] = detail::thin_qr(a);
  const auto [q_b, r_b] =
      detail::thin_qr(detail::eigen_matrix("shrink", adapter.b()).transpose());
  const auto svd = detail::thin_svd("shrink", r_a * r_b.transpose());
  const Eigen::Index r = std::min(detail::eigen_index(rank), svd.singularValues().size());
  const Eigen::VectorXd root = svd.singularValues().head(r).cwiseSqrt();
  const LowRankFactors factors =
      detail::factors_of(q_a * svd.matrixU().leftCols(r) * root.asDiagonal(),
                         root.asDiagonal() * svd.matrixV().leftCols(r).transpose() * q_b.transpose());
  adapter.set_factors(factors.a(), factors.b());
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_EIGEN_SHRINK_HPP
