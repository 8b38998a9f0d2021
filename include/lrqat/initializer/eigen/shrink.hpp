// SPDX-License-Identifier: MIT
// initializer/eigen/shrink.hpp: an adapter goes on with fewer columns.
#ifndef LRQAT_INITIALIZER_EIGEN_SHRINK_HPP
#define LRQAT_INITIALIZER_EIGEN_SHRINK_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/initializer/eigen/svd_low_rank.hpp>

#include <algorithm>
#include <cstddef>

namespace lrqat {

/// Cuts a GatedLowRank adapter down to `rank` columns, those of the largest singular values of A
/// diag(gates) B, as U sqrt(S) and sqrt(S) V^T with gates of 1; the least important come last and
/// fade next (QVGen, arXiv 2505.11497). Where no more than `rank` gates are above 0, the product
/// stays what it is but for rounding. No matrix of the weight's size is made.
/// @throws Error when the rank is more than the adapter has
template <class State>
void shrink(State& adapter, std::size_t rank) {
  expects(rank <= adapter.rank(), "shrink: rank ", rank, " of an adapter of rank ", adapter.rank());
  const std::size_t out = adapter.a().rows, in = adapter.b().cols;
  if (rank == 0) return adapter.set_factors({nullptr, out, 0}, {nullptr, 0, in});
  const OneEigenThread alone;
  const auto gates = adapter.gates();
  Eigen::MatrixXd a = detail::eigen_matrix("shrink", adapter.a());
  for (std::size_t k = 0; k < gates.size(); ++k)
    a.col(detail::eigen_index(k)) *= static_cast<double>(gates[k]);
  const auto left = detail::thin_svd("shrink", a);
  const auto right = detail::thin_svd("shrink", detail::eigen_matrix("shrink", adapter.b()));
  const auto core = detail::thin_svd(
      "shrink", left.s.asDiagonal() * left.v.transpose() * right.u * right.s.asDiagonal());
  const Eigen::Index r = std::min(detail::eigen_index(rank), core.s.size());
  const Eigen::VectorXd root = core.s.head(r).cwiseSqrt();
  const LowRankFactors factors =
      detail::factors_of(left.u * core.u.leftCols(r) * root.asDiagonal(),
                         root.asDiagonal() * core.v.leftCols(r).transpose() * right.v.transpose());
  adapter.set_factors(factors.a(), factors.b());
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_EIGEN_SHRINK_HPP
