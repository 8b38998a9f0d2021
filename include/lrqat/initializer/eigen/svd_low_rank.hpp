// SPDX-License-Identifier: MIT
// initializer/eigen/svd_low_rank.hpp: the nearest matrix of low rank, as factors of an adapter.
#ifndef LRQAT_INITIALIZER_EIGEN_SVD_LOW_RANK_HPP
#define LRQAT_INITIALIZER_EIGEN_SVD_LOW_RANK_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scale_layout.hpp>
#include <lrqat/initializer/eigen/one_thread.hpp>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace lrqat {

/// A (out, r) and B (r, in), row-major.
struct LowRankFactors {
  std::size_t out = 0, rank = 0, in = 0;
  std::vector<float> a_values, b_values;

  MatrixView<float> a() { return {a_values.data(), out, rank}; }
  MatrixView<float> b() { return {b_values.data(), rank, in}; }
  MatrixView<const float> a() const { return {a_values.data(), out, rank}; }
  MatrixView<const float> b() const { return {b_values.data(), rank, in}; }
};

namespace detail {

inline Eigen::Index eigen_index(std::size_t i) { return static_cast<Eigen::Index>(i); }

/// @throws Error when a number is not finite
inline Eigen::MatrixXd eigen_matrix(const char* who, MatrixView<const float> matrix) {
  Eigen::MatrixXd copy(eigen_index(matrix.rows), eigen_index(matrix.cols));
  for (std::size_t i = 0; i < matrix.rows; ++i)
    for (std::size_t j = 0; j < matrix.cols; ++j) {
      expects(std::isfinite(matrix(i, j)), who, ": number (", i, ", ", j, ") is not finite");
      copy(eigen_index(i), eigen_index(j)) = static_cast<double>(matrix(i, j));
    }
  return copy;
}

inline LowRankFactors factors_of(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto size = [](Eigen::Index n) { return static_cast<std::size_t>(n); };
  LowRankFactors factors{size(a.rows()), size(a.cols()), size(b.cols()), {}, {}};
  factors.a_values.resize(size(a.size()));
  factors.b_values.resize(size(b.size()));
  Eigen::Map<RowMajor>(factors.a_values.data(), a.rows(), a.cols()) = a.cast<float>();
  Eigen::Map<RowMajor>(factors.b_values.data(), b.rows(), b.cols()) = b.cast<float>();
  return factors;
}

inline void expect_rank(const char* who, Shape matrix, std::size_t rank) {
  expects(rank > 0 && rank <= std::min(matrix.rows, matrix.cols), who, ": rank ", rank,
          " of a matrix (", matrix.rows, ", ", matrix.cols, ")");
}

/// matrix (out, in) = U diag(s) V^T with U (out, n), V (in, n), n = min(out, in), s descending.
struct ThinSvd {
  Eigen::MatrixXd u, v;
  Eigen::VectorXd s;
};

/// By the eigenvectors of the smaller of matrix matrix^T and matrix^T matrix; those of the other
/// side are the matrix times them, so that U diag(s) V^T is the matrix to double precision, and the
/// first k columns give the best of rank k as far as singular values differ by 1e-8 of the largest:
/// below what factors in float32 can tell. A vector to s = 0 is 0.
inline ThinSvd thin_svd(const char* who, const Eigen::MatrixXd& matrix) {
  const bool wide = matrix.rows() < matrix.cols();
  const Eigen::MatrixXd tall = wide ? Eigen::MatrixXd(matrix.transpose()) : matrix;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(tall.transpose() * tall);
  expects(solver.info() == Eigen::Success, who, ": the eigenvalues did not converge");
  ThinSvd svd;
  Eigen::MatrixXd& known = wide ? svd.u : svd.v;
  Eigen::MatrixXd& other = wide ? svd.v : svd.u;
  known = solver.eigenvectors().rowwise().reverse();  // they come in ascending order
  other = tall * known;
  svd.s = other.colwise().norm();
  for (Eigen::Index k = 0; k < svd.s.size(); ++k)
    if (svd.s(k) > 0) other.col(k) /= svd.s(k);
  return svd;
}

}  // namespace detail

/// A = U sqrt(S), B = sqrt(S) V^T of the `rank` largest singular values of `error` (out, in): A B
/// is the nearest matrix of that rank (Eckart and Young). LoftQ's and QVGen's start of an adapter.
/// Computed in double on one thread; the same bits every time in one program.
/// @throws Error when the rank is not 1 .. min(out, in) or a number is not finite
inline LowRankFactors svd_low_rank(MatrixView<const float> error, std::size_t rank) {
  detail::expect_rank("svd_low_rank", error.shape(), rank);
  const OneEigenThread alone;
  const auto svd = detail::thin_svd("svd_low_rank", detail::eigen_matrix("svd_low_rank", error));
  const Eigen::Index r = detail::eigen_index(rank);
  const Eigen::VectorXd root = svd.s.head(r).cwiseSqrt();
  return detail::factors_of(svd.u.leftCols(r) * root.asDiagonal(),
                            root.asDiagonal() * svd.v.leftCols(r).transpose());
}

/// A correction A B of the weight as one of the levels, for InsideRounding: each row of A divided
/// by that row's scale; B stays. LR-QAT's published code divides the root of the scale into both
/// factors, which for one scale a row is not the same.
/// @param scales  in layout order
/// @throws Error when a row has more than one scale: A B / s is then not of rank r
inline void into_grid_units(LowRankFactors& factors, const ScaleLayout& layout,
                            std::span<const float> scales) {
  expects(layout.scales.cols == 1, "into_grid_units: a row has ", layout.scales.cols,
          " scales, and a correction divided by them is not representable at rank ", factors.rank,
          "; use PerChannel or the WeightDomain");
  expects((layout.scales.rows == 1 || layout.scales.rows == factors.out) &&
              scales.size() == layout.size(),
          "into_grid_units: ", scales.size(), " scales for A of ", factors.out, " rows");
  const MatrixView<float> a = factors.a();
  for (std::size_t i = 0; i < a.rows; ++i)
    for (float& value : a.row(i)) value /= scales[layout.index(i, 0)];
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_EIGEN_SVD_LOW_RANK_HPP
