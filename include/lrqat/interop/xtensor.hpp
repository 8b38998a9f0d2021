// SPDX-License-Identifier: MIT
// interop/xtensor.hpp: xtensor containers as views. Opt-in: no other header includes it.
#ifndef LRQAT_INTEROP_XTENSOR_HPP
#define LRQAT_INTEROP_XTENSOR_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>

#include <xtensor/xcontainer.hpp>

namespace lrqat::interop {

/// Views a two-dimensional xtensor container (xt::xarray, xt::xtensor, adaptors) with contiguous
/// rows, without a copy; it must outlive the view.
template <class Container>
  requires requires(Container& c) { c.data(); c.strides(); c.shape(); c.dimension(); }
auto view(Container& container) {
  expects(container.dimension() == 2, "interop::view: the xtensor object has ",
          container.dimension(), " dimensions, 2 are needed");
  const auto rows = static_cast<std::size_t>(container.shape()[0]);
  const auto cols = static_cast<std::size_t>(container.shape()[1]);
  const auto row_stride = container.strides()[0], col_stride = container.strides()[1];
  expects(col_stride == 1 || cols <= 1, "interop::view: the xtensor object has a column stride of ",
          col_stride, ", rows must be contiguous (row_major)");
  // xtensor gives a dimension of length 1 the stride 0.
  return MatrixView(container.data() + container.data_offset(), rows, cols,
                    rows <= 1 ? cols : static_cast<std::size_t>(row_stride));
}

}  // namespace lrqat::interop

#endif  // LRQAT_INTEROP_XTENSOR_HPP
