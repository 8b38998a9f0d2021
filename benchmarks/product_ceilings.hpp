// SPDX-License-Identifier: MIT
// benchmarks/product_ceilings.hpp: the peaks of the units that multiply bfloat16 and int8, measured
// where the machine has them.
#ifndef LRQAT_BENCHMARKS_PRODUCT_CEILINGS_HPP
#define LRQAT_BENCHMARKS_PRODUCT_CEILINGS_HPP

#include "ceilings.hpp"

#include <lrqat/core/config.hpp>
#include <lrqat/kernel/bf16_unit.hpp>
#include <lrqat/kernel/int8_unit.hpp>
#include <lrqat/kernel/isa.hpp>
#if LRQAT_X86
#include <lrqat/kernel/multiply_bf16/amx.hpp>

#include <immintrin.h>
#endif

#include <cstddef>
#include <map>
#include <string_view>
#include <utility>

namespace lrqat::benchmarks {

/// avx512_bf16: vdpbf16ps. avx512_vnni: vpdpbusd. amx_bf16, amx_int8: tdpbf16ps, tdpbssd.
enum class ProductUnit { avx512_bf16, avx512_vnni, amx_bf16, amx_int8 };

inline constexpr ProductUnit all_product_units[] = {ProductUnit::avx512_bf16,
                                                    ProductUnit::avx512_vnni, ProductUnit::amx_bf16,
                                                    ProductUnit::amx_int8};

constexpr std::string_view name(ProductUnit unit) {
  switch (unit) {
    case ProductUnit::avx512_bf16:
      return "avx512_bf16";
    case ProductUnit::avx512_vnni:
      return "avx512_vnni";
    case ProductUnit::amx_bf16:
      return "amx_bf16";
    case ProductUnit::amx_int8:
      break;
  }
  return "amx_int8";
}

constexpr bool multiplies_int8(ProductUnit unit) {
  return unit == ProductUnit::avx512_vnni || unit == ProductUnit::amx_int8;
}

/// Whether the processor has the unit and the operating system gives its registers to this program.
inline bool machine_has(ProductUnit unit) {
  switch (unit) {
    case ProductUnit::avx512_bf16:
      return machine_has(kernel::Bf16Unit::avx512_bf16);
    case ProductUnit::avx512_vnni:
      return machine_has(kernel::Int8Unit::avx512_vnni);
    case ProductUnit::amx_bf16:
      return machine_has(kernel::Bf16Unit::amx);
    case ProductUnit::amx_int8:
      break;
  }
  return machine_has(kernel::Int8Unit::amx);
}

#if LRQAT_X86

/// run(steps, seed): nothing but products in registers, as many chains of them as hide their
/// latency; `seed` keeps the operands unknown to the compiler.
template <ProductUnit>
struct ProductCeiling;

LRQAT_AVX512_BF16_BEGIN
template <>
struct ProductCeiling<ProductUnit::avx512_bf16> {
  static constexpr std::size_t chains = 16;
  static constexpr double operations_per_step = 2.0 * 32 * chains;

  [[gnu::noinline]] static int run(std::size_t steps, int seed) {
    const __m512bh left = reinterpret_cast<__m512bh>(_mm512_set1_epi32(seed));
    const __m512bh right = reinterpret_cast<__m512bh>(_mm512_set1_epi32(seed + 1));
    __m512 sum[chains];
    // Chains of equal values could become one.
    for (std::size_t i = 0; i < chains; ++i)
      sum[i] = _mm512_set1_ps(static_cast<float>(seed) + static_cast<float>(i));
    for (std::size_t step = 0; step < steps; ++step) {
      LRQAT_UNROLL
      for (std::size_t i = 0; i < chains; ++i) sum[i] = _mm512_dpbf16_ps(sum[i], left, right);
    }
    __m512 total = sum[0];
    for (std::size_t i = 1; i < chains; ++i) total = _mm512_add_ps(total, sum[i]);
    return static_cast<int>(total[0]);
  }
};
LRQAT_TARGET_END

/// In assembly: gcc 12 puts a move beside each product. No value of an integer is slow, so the
/// registers are taken as they are.
template <>
struct ProductCeiling<ProductUnit::avx512_vnni> {
  static constexpr std::size_t chains = 14;
  static constexpr double operations_per_step = 2.0 * 64 * chains;

#define LRQAT_CEILING_PRODUCT(chain) "vpdpbusd %%zmm14, %%zmm15, %%zmm" #chain "\n\t"
  [[gnu::noinline]] static int run(std::size_t steps, int seed) {
    // clang-format off
    asm volatile("0:\n\t"
        LRQAT_CEILING_PRODUCT(0) LRQAT_CEILING_PRODUCT(1) LRQAT_CEILING_PRODUCT(2)
        LRQAT_CEILING_PRODUCT(3) LRQAT_CEILING_PRODUCT(4) LRQAT_CEILING_PRODUCT(5)
        LRQAT_CEILING_PRODUCT(6) LRQAT_CEILING_PRODUCT(7) LRQAT_CEILING_PRODUCT(8)
        LRQAT_CEILING_PRODUCT(9) LRQAT_CEILING_PRODUCT(10) LRQAT_CEILING_PRODUCT(11)
        LRQAT_CEILING_PRODUCT(12) LRQAT_CEILING_PRODUCT(13)
        "sub $1, %0\n\t"
        "jnz 0b\n\t"
        "vzeroupper"
        : "+r"(steps)
        :
        : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
          "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    // clang-format on
    return seed;
  }
#undef LRQAT_CEILING_PRODUCT
};

LRQAT_AMX_BEGIN
/// Four tiles of sums, 16 x 16 each, and full tiles of operands; all of them zeros.
template <>
struct ProductCeiling<ProductUnit::amx_bf16> {
  static constexpr double operations_per_step = 4 * 2.0 * 16 * 16 * 32;

  [[gnu::noinline]] static int run(std::size_t steps, int seed) {
    begin();
    for (std::size_t step = 0; step < steps; ++step) {
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    kernel::AmxTiles::end();
    return seed;
  }

  static void begin() {
    kernel::AmxTiles::begin();
    kernel::AmxTiles::zero_sums();
    _tile_zero(4);
    _tile_zero(5);
    _tile_zero(6);
    _tile_zero(7);
  }
};

template <>
struct ProductCeiling<ProductUnit::amx_int8> {
  static constexpr double operations_per_step = 4 * 2.0 * 16 * 16 * 64;

  [[gnu::noinline]] static int run(std::size_t steps, int seed) {
    ProductCeiling<ProductUnit::amx_bf16>::begin();
    for (std::size_t step = 0; step < steps; ++step) {
      _tile_dpbssd(0, 4, 6);
      _tile_dpbssd(1, 4, 7);
      _tile_dpbssd(2, 5, 6);
      _tile_dpbssd(3, 5, 7);
    }
    kernel::AmxTiles::end();
    return seed;
  }
};
LRQAT_TARGET_END

#endif

/// Operations per second (a product and a sum are two) of nothing but the unit's products in
/// registers, on `threads` threads; 0 where the machine lacks the unit.
inline double measure_product_peak(ProductUnit unit, int threads) {
#if LRQAT_X86
  if (!machine_has(unit)) return 0;
  constexpr std::size_t steps = 200000;
  const auto measure = [threads](auto ceiling) {
    volatile int seed = 1, sink = 0;
    return measure_rate(decltype(ceiling)::operations_per_step * double(steps), threads,
                        [&] { sink = sink + decltype(ceiling)::run(steps, seed); });
  };
  switch (unit) {
    case ProductUnit::avx512_bf16:
      return measure(ProductCeiling<ProductUnit::avx512_bf16>{});
    case ProductUnit::avx512_vnni:
      return measure(ProductCeiling<ProductUnit::avx512_vnni>{});
    case ProductUnit::amx_bf16:
      return measure(ProductCeiling<ProductUnit::amx_bf16>{});
    case ProductUnit::amx_int8:
      return measure(ProductCeiling<ProductUnit::amx_int8>{});
  }
#else
  static_cast<void>(unit), static_cast<void>(threads);
#endif
  return 0;
}

/// The peak of AVX512_VNNI or of AMX's bytes, measured once in a run for each number of threads; 0
/// without it.
inline double peak_int8_operations(ProductUnit unit, int threads) {
  static std::map<std::pair<ProductUnit, int>, double> known;
  double& peak = known[{unit, threads}];
  if (peak == 0) peak = measure_product_peak(unit, threads);
  return peak;
}

/// The peak of what the kernels multiply bfloat16 with: of float32 where that is emulated. Measured
/// once in a run for each unit and number of threads.
inline double peak_bf16_flops(kernel::Bf16Unit unit, int threads = 1) {
  static std::map<std::pair<kernel::Bf16Unit, int>, double> known;
  double& peak = known[{unit, threads}];
  if (peak == 0)
    peak = unit == kernel::Bf16Unit::emulated
               ? peak_flops(kernel::active_isa(), threads)
               : measure_product_peak(unit == kernel::Bf16Unit::amx ? ProductUnit::amx_bf16
                                                                    : ProductUnit::avx512_bf16,
                                      threads);
  return peak;
}

}  // namespace lrqat::benchmarks

#endif  // LRQAT_BENCHMARKS_PRODUCT_CEILINGS_HPP
