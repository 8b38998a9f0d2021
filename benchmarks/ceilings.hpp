// SPDX-License-Identifier: MIT
// benchmarks/ceilings.hpp: what this machine can do at most, measured: the yardstick of the rest.
#ifndef LRQAT_BENCHMARKS_CEILINGS_HPP
#define LRQAT_BENCHMARKS_CEILINGS_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/kernel/isa.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace lrqat::benchmarks {

/// The vector of an instruction set, and how many chains of multiply-adds fill its registers.
template <kernel::Isa>
struct Ceiling;

// Both loops are written with the compilers' vector types; a * b + c on them becomes one fused
// instruction in a target region. `seed` keeps the result unknown to the compiler.
#define LRQAT_CEILING_MEMBERS(floats, chains)                                                 \
  using Floats [[gnu::vector_size(4 * floats)]] = float;                                      \
  using Words [[gnu::vector_size(4 * floats)]] = std::uint32_t;                               \
  static constexpr double flops_per_step = 2.0 * floats * chains;                             \
  [[gnu::noinline]] static float multiply_add(std::size_t steps, float seed) {                \
    Floats sum[chains], factor = Floats{} + seed, term = Floats{} + (1.0f - seed);            \
    for (Floats & s : sum) s = Floats{} + seed;                                               \
    for (std::size_t step = 0; step < steps; ++step) {                                        \
      LRQAT_UNROLL                                                                            \
      for (std::size_t i = 0; i < chains; ++i) sum[i] = sum[i] * factor + term;               \
    }                                                                                         \
    for (std::size_t i = 1; i < chains; ++i) sum[0] += sum[i];                                \
    return sum[0][0];                                                                         \
  }                                                                                           \
  /* Eight streams side by side keep more line fills in flight than one. */                   \
  [[gnu::noinline]] static std::uint32_t read(const std::uint32_t* data, std::size_t words) { \
    constexpr std::size_t streams = 8, ahead = 512;                                           \
    const std::size_t part = words / streams / 16 * 16;                                       \
    Words sum[streams] = {};                                                                  \
    for (std::size_t i = 0; i < part; i += 16) {                                              \
      LRQAT_UNROLL                                                                            \
      for (std::size_t s = 0; s < streams; ++s) {                                             \
        const std::uint32_t* const line = data + s * part + i;                                \
        __builtin_prefetch(line + ahead);                                                     \
        LRQAT_UNROLL                                                                          \
        for (std::size_t j = 0; j < 16; j += floats)                                          \
          sum[s] += *reinterpret_cast<const Words*>(line + j);                                \
      }                                                                                       \
    }                                                                                         \
    for (std::size_t s = 1; s < streams; ++s) sum[0] += sum[s];                               \
    return sum[0][0];                                                                         \
  }

template <>
struct Ceiling<kernel::Isa::scalar> {
  LRQAT_CEILING_MEMBERS(4, 12)
};
#if LRQAT_X86
LRQAT_AVX2_BEGIN
template <>
struct Ceiling<kernel::Isa::avx2> {
  LRQAT_CEILING_MEMBERS(8, 12)
};
LRQAT_TARGET_END
LRQAT_AVX512_BEGIN
template <>
struct Ceiling<kernel::Isa::avx512> {
  LRQAT_CEILING_MEMBERS(16, 16)
};
LRQAT_TARGET_END
#endif
#undef LRQAT_CEILING_MEMBERS

/// Calls f(Ceiling<isa>{}) for the run-time `isa`.
template <class F>
auto with_ceiling([[maybe_unused]] kernel::Isa isa, F f) {
#if LRQAT_X86
  if (isa == kernel::Isa::avx512) return f(Ceiling<kernel::Isa::avx512>{});
  if (isa == kernel::Isa::avx2) return f(Ceiling<kernel::Isa::avx2>{});
#endif
  return f(Ceiling<kernel::Isa::scalar>{});
}

/// Seconds of the fastest of `tries` calls.
template <class F>
double best_seconds(int tries, F f) {
  double best = 1e30;
  for (int i = 0; i < tries; ++i) {
    const auto start = std::chrono::steady_clock::now();
    f();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    best = std::min(best, passed.count());
  }
  return best;
}

/// Operations per second when each of `threads` threads calls run(), which makes `operations`: the
/// best of a third of a second. On a machine with other work it may miss the second core, unless
/// the threads are bound (OMP_PROC_BIND=true).
template <class F>
double measure_rate(double operations, int threads, F run) {
  const int before = thread_count();
  set_thread_count(threads);
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(333);
  double seconds = 1e30;
  while (std::chrono::steady_clock::now() < end) {
    const double tried = best_seconds(
        5, [&] { parallel_for(static_cast<std::size_t>(threads), [&](std::size_t) { run(); }); });
    seconds = std::min(seconds, tried);
  }
  set_thread_count(before);
  return operations * threads / seconds;
}

/// Float operations per second of nothing but multiply-adds in registers, on `threads` threads.
/// Under Isa::scalar: separate 4-wide multiplies and adds, what a baseline program can have.
inline double measure_peak_flops(kernel::Isa isa, int threads) {
  constexpr std::size_t steps = 200000;
  volatile float seed = 0.999f, sink = 0;
  return with_ceiling(isa, [&](auto ceiling) {
    return measure_rate(decltype(ceiling)::flops_per_step * double(steps), threads,
                        [&] { sink = decltype(ceiling)::multiply_add(steps, seed); });
  });
}

/// measure_peak_flops, measured once in a run for each instruction set and number of threads.
inline double peak_flops(kernel::Isa isa, int threads = 1) {
  static std::map<std::pair<kernel::Isa, int>, double> known;
  double& peak = known[{isa, threads}];
  if (peak == 0) peak = measure_peak_flops(isa, threads);
  return peak;
}

/// Bytes per second that `threads` threads read, each from its own `bytes` over and over.
inline double measure_read_bandwidth(kernel::Isa isa, std::size_t bytes, int threads) {
  const int before = thread_count();
  set_thread_count(threads);
  std::vector<AlignedVector<std::uint32_t>> buffers(static_cast<std::size_t>(threads));
  parallel_for(buffers.size(), [&](std::size_t t) { buffers[t].assign(bytes / 4, 1u); });
  const std::size_t passes = std::max<std::size_t>(1, (std::size_t{1} << 26) / bytes);
  volatile std::uint32_t sink = 0;
  const double seconds = best_seconds(10, [&] {
    parallel_for(buffers.size(), [&](std::size_t t) {
      for (std::size_t pass = 0; pass < passes; ++pass)
        sink = with_ceiling(isa, [&](auto ceiling) {
          return decltype(ceiling)::read(buffers[t].data(), buffers[t].size());
        });
    });
  });
  set_thread_count(before);
  return double(bytes) * double(passes) * threads / seconds;
}

}  // namespace lrqat::benchmarks

#endif  // LRQAT_BENCHMARKS_CEILINGS_HPP
