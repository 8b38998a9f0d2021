// SPDX-License-Identifier: MIT
// kernel/multiply_codes.hpp: y = x W^T for a few tokens, in float32, straight from codes.
#ifndef LRQAT_KERNEL_MULTIPLY_CODES_HPP
#define LRQAT_KERNEL_MULTIPLY_CODES_HPP

#include <lrqat/kernel/isa.hpp>                      // active_isa
#include <lrqat/kernel/multiply_codes/operands.hpp>  // CodesTile
#if LRQAT_X86
#include <lrqat/kernel/multiply_codes/avx512.hpp>
#endif

#include <cstddef>

namespace lrqat::kernel {

using CodesFunction = void (*)(const CodesTile&);

/// A tile's function and how many panels it takes.
struct CodesKernelChoice {
  CodesFunction run;
  std::size_t tokens, panels;
};

/// For `tokens` up to CodesTile::most_tokens: each element of y is the chain of fused multiply-adds
/// of multiply(), over factors of W that are scale * (level - zero), rounded; so the bits are those
/// of a product with W itself. run is nullptr where active_isa() has no kernel.
template <unsigned bits, bool has_zero>
CodesKernelChoice codes_kernel([[maybe_unused]] std::size_t tokens) {
#if LRQAT_X86
  if (active_isa() == Isa::avx512) {
    using Kernel = CodesKernel<Isa::avx512>;
    if (tokens <= 1) return {Kernel::run<bits, has_zero, 1, 8>, 1, 8};
    if (tokens <= 2) return {Kernel::run<bits, has_zero, 2, 4>, 2, 4};
    if (tokens <= 4) return {Kernel::run<bits, has_zero, 4, 4>, 4, 4};
    return {Kernel::run<bits, has_zero, 8, 2>, 8, 2};
  }
#endif
  return {nullptr, 0, 1};
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_MULTIPLY_CODES_HPP
