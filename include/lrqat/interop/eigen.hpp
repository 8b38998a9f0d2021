// SPDX-License-Identifier: MIT
// interop/eigen.hpp: Eigen matrices as views. Opt-in: no other header includes it.
#ifndef LRQAT_INTEROP_EIGEN_HPP
#define LRQAT_INTEROP_EIGEN_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>

#include <Eigen/Core>

#include <type_traits>

namespace lrqat::interop {

/// Views a row-major Eigen matrix, map or block, without a copy; it must outlive the view.
/// Column-major objects do not compile: their transpose is what a row-major view would show.
template <class Object>
  requires std::is_base_of_v<Eigen::DenseBase<std::remove_const_t<Object>>, std::remove_const_t<Object>>
auto view(Object& matrix) {
  static_assert(bool(Object::IsRowMajor),
                "lrqat::interop::view: the Eigen object is column-major. Use Eigen::RowMajor.");
  expects(matrix.innerStride() == 1 || matrix.cols() <= 1,
          "interop::view: the Eigen object has an inner stride of ", matrix.innerStride(),
          ", rows must be contiguous");
  return MatrixView(matrix.data(), static_cast<std::size_t>(matrix.rows()),
                    static_cast<std::size_t>(matrix.cols()),
                    static_cast<std::size_t>(matrix.outerStride()));
}

}  // namespace lrqat::interop

#endif  // LRQAT_INTEROP_EIGEN_HPP
