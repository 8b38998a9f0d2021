// SPDX-License-Identifier: MIT
// benchmarks/ceilings.bench.cpp: prints this machine's measured ceilings.
#include "ceilings.hpp"
#include "product_ceilings.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace {

using lrqat::kernel::Isa;
using namespace lrqat::benchmarks;

void multiply_add(benchmark::State& state, Isa isa, int threads) {
  double best = 0;
  for (auto _ : state) best = std::max(best, measure_peak_flops(isa, threads));
  state.counters["flops"] = best;
}

/// An integer operation is none of floating point: it has a counter of its own.
void multiply_pairs(benchmark::State& state, ProductUnit unit, int threads) {
  double best = 0;
  for (auto _ : state) best = std::max(best, measure_product_peak(unit, threads));
  state.counters[multiplies_int8(unit) ? "int8_operations" : "flops"] = best;
}

void read_bytes(benchmark::State& state, Isa isa, std::size_t bytes, int threads) {
  double best = 0;
  for (auto _ : state) best = std::max(best, measure_read_bandwidth(isa, bytes, threads));
  state.counters["bytes_per_second"] = best;
}

const auto add = [](const std::string& called, auto... arguments) {
  benchmark::RegisterBenchmark(called.c_str(), arguments...)->Iterations(3);
};

const bool registered = [] {
  const int all = lrqat::thread_count();
  for (const Isa isa : lrqat::kernel::all_isas) {
    if (!lrqat::kernel::machine_has(isa)) continue;
    const std::string end = "/" + std::string(name(isa));
    for (int threads = 1; threads <= all; threads += std::max(1, all - 1)) {
      const std::string begin = "ceiling/threads" + std::to_string(threads);
      add(begin + "/fma/float" + end, multiply_add, isa, threads);
      add(begin + "/read/L1_16KiB" + end, read_bytes, isa, std::size_t{16} << 10, threads);
      add(begin + "/read/L2_256KiB" + end, read_bytes, isa, std::size_t{256} << 10, threads);
      add(begin + "/read/DRAM_256MiB" + end, read_bytes, isa, std::size_t{256} << 20, threads);
    }
  }
  for (const ProductUnit unit : all_product_units)
    for (int threads = 1; threads <= std::min(all, 2) && machine_has(unit); ++threads)
      add("ceiling/threads" + std::to_string(threads) + "/product/" +
              (multiplies_int8(unit) ? "int8/" : "bf16/") + std::string(name(unit)),
          multiply_pairs, unit, threads);
  return true;
}();

}  // namespace
