// SPDX-License-Identifier: MIT
// backend/onednn.hpp: the backend Cpu with oneDNN's products in the place of the library's own.
// Needs oneDNN 2 or 3: link lrqat::onednn, or add -ldnnl.
#ifndef LRQAT_BACKEND_ONEDNN_HPP
#define LRQAT_BACKEND_ONEDNN_HPP

#include <lrqat/backend/cpu.hpp>                  // CpuIn
#include <lrqat/compute/compute.hpp>              // Compute<float>
#include <lrqat/concept/backend.hpp>              // Backend
#include <lrqat/concept/compute.hpp>              // Arithmetic
#include <lrqat/core/expects.hpp>                 // fail
#include <lrqat/core/matrix_view.hpp>             // MatrixView
#include <lrqat/core/scratch.hpp>                 // scratch
#include <lrqat/kernel/multiply.hpp>              // has_work, fill_with_zeros
#include <lrqat/kernel/multiply/left_factor.hpp>  // LeftFactor

#include <oneapi/dnnl/dnnl.h>        // dnnl_sgemm
#include <oneapi/dnnl/dnnl_debug.h>  // dnnl_status2str

#include <cstddef>
#if defined(_OPENMP)
#include <omp.h>
#endif

namespace lrqat {

namespace detail {

/// While it lives, the calling thread opens no team of threads. oneDNN cuts a product by the number
/// of its threads, sums along the depth among them, so that only alone it gives the same bits.
class WithoutTeam {
 public:
  WithoutTeam(const WithoutTeam&) = delete;
  WithoutTeam& operator=(const WithoutTeam&) = delete;
#if defined(_OPENMP)
  WithoutTeam() : team_size_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~WithoutTeam() { omp_set_num_threads(team_size_); }

 private:
  int team_size_;
#else
  WithoutTeam() {}
#endif
};

/// Products in float32 by dnnl_sgemm, each on the calling thread. An element is a sum of the same
/// terms as in Compute<float>, in an order that oneDNN chooses by shape and processor.
/// Errors: shapes that do not fit; a status of oneDNN other than success.
struct OneDnnProducts : Compute<float> {
  static void multiply(kernel::LeftFactor<float> a, MatrixView<const float> b,
                       MatrixView<float> c) {
    if (kernel::detail::has_work(a, b, c)) product(a, b, c, 1.0f);
  }
  static void multiply_into(kernel::LeftFactor<float> a, MatrixView<const float> b,
                            MatrixView<float> c) {
    if (kernel::detail::has_work(a, b, c))
      product(a, b, c, 0.0f);
    else
      kernel::detail::fill_with_zeros(c);
  }

 private:
  /// The left factor as a BLAS takes it: `transposed` is 'N' or 'T', `stride` the distance of the
  /// rows in memory.
  struct Operand {
    const float* data;
    std::size_t stride;
    char transposed;
  };

  static Operand operand(const kernel::LeftFactor<float>& a) {
    if (a.depth_step == 1 && a.row_step >= a.depth) return {a.data, a.row_step, 'N'};
    if (a.row_step == 1 && a.depth_step >= a.rows) return {a.data, a.depth_step, 'T'};
    const auto copy = scratch<struct onednn_left_slot>(a.rows, a.depth);
    for (std::size_t i = 0; i < a.rows; ++i)
      for (std::size_t k = 0; k < a.depth; ++k) copy(i, k) = *a.at(i, k);
    return {copy.data, copy.stride, 'N'};
  }

  /// c = a b + old c, the latter times `kept`, which is 0 or 1; 0 does not read it.
  static void product(const kernel::LeftFactor<float>& a, MatrixView<const float> b,
                      MatrixView<float> c, float kept) {
    const auto length = [](std::size_t count) { return static_cast<dnnl_dim_t>(count); };
    const Operand left = operand(a);
    const WithoutTeam alone;
    const dnnl_status_t status = dnnl_sgemm(
        left.transposed, 'N', length(a.rows), length(b.cols), length(a.depth), 1.0f, left.data,
        length(left.stride), b.data, length(b.stride), kept, c.data, length(c.stride));
    if (status != dnnl_success)
      fail("OneDnn: dnnl_sgemm of a (", a.rows, ", ", a.depth, "), b (", b.rows, ", ", b.cols,
           ") with a row every ", b.stride, " and c with a row every ", c.stride, " says ",
           dnnl_status2str(status));
  }
};

}  // namespace detail

/// Tiles and threads of Cpu, products of oneDNN, in float32 alone: Compute<bf16> does not compile
/// beside it. The integers, and so the merged codes, are those of every other backend.
///
/// Bits: the same for any number of threads and every LRQAT_ISA, on one processor and one version
/// of oneDNN (which reads ONEDNN_MAX_CPU_ISA). In a program compiled without OpenMP a oneDNN built
/// with it uses threads of its own, OMP_NUM_THREADS of them, and the bits depend on their number.
struct OneDnn : CpuIn<detail::OneDnnProducts> {};

static_assert(Arithmetic<detail::OneDnnProducts> && Backend<OneDnn>);

}  // namespace lrqat

#endif  // LRQAT_BACKEND_ONEDNN_HPP
