// SPDX-License-Identifier: MIT
// benchmarks/kernel/multiply.bench.cpp: the product on one thread, beside its peers.
#include <lrqat/kernel/multiply.hpp>

#include "../ceilings.hpp"

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/rng.hpp>

#include <benchmark/benchmark.h>

#include <string>
#if __has_include(<Eigen/Core>)
#include <Eigen/Core>
#endif
#if __has_include(<openblas_config.h>)
#include <cblas.h>
#endif

namespace {

using lrqat::MatrixView;
using lrqat::kernel::Isa;
using lrqat::kernel::LeftFactor;

enum class Left { rows, transposed };

/// c (m, n) += a (m, k) b (k, n), in matrices that may be blocks of wider ones.
struct Case {
  const char* name;
  Left layout;
  std::size_t m, k, n, a_stride, b_stride, c_stride;
};

constexpr Case cases[] = {
    {"forward_small", Left::rows, 512, 64, 64, 64, 64, 64},
    {"forward_wide", Left::rows, 512, 64, 512, 64, 512, 512},
    {"forward", Left::rows, 2048, 512, 512, 512, 512, 512},
    {"forward_288", Left::rows, 1024, 288, 768, 288, 768, 768},
    {"weight_gradient", Left::transposed, 64, 2048, 512, 64, 512, 512},
    {"weight_gradient_4096", Left::transposed, 64, 2048, 512, 4096, 4096, 512},
    {"rank_product", Left::rows, 64, 32, 512, 32, 512, 512},
    {"rank_product_4096", Left::rows, 64, 32, 512, 32, 4096, 512},
    {"into_rank", Left::rows, 2048, 512, 32, 512, 32, 32},
    {"blocks_of_4096", Left::rows, 512, 512, 512, 4096, 4096, 4096},
    {"right_from_memory", Left::rows, 128, 4096, 1024, 4096, 4096, 4096},
    {"one_token", Left::rows, 1, 512, 512, 512, 512, 512},
    {"odd", Left::rows, 1000, 100, 100, 100, 100, 100},
};

struct Operands {
  lrqat::AlignedVector<float> a, b, c;

  explicit Operands(const Case& shape)
      : a((shape.layout == Left::rows ? shape.m : shape.k) * shape.a_stride),
        b(shape.k * shape.b_stride),
        c(shape.m * shape.c_stride) {
    // Small integers: sums stay finite however often a benchmark adds to c.
    const lrqat::CounterRng random(1, 0);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = float(random.below(3, i)) - 1.0f;
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = float(i % 3) - 1.0f;
  }
};

void report(benchmark::State& state, const Case& shape, Isa isa) {
  const double flops = 2.0 * double(shape.m) * double(shape.k) * double(shape.n);
  using benchmark::Counter;
  state.counters["flops"] = Counter(flops, Counter::kIsIterationInvariantRate);
  if (isa == Isa::scalar) return;
  state.counters["fraction_of_peak"] =
      Counter(flops / lrqat::benchmarks::peak_flops(isa), Counter::kIsIterationInvariantRate);
}

void run_lrqat(benchmark::State& state, const Case& shape, Isa isa) {
  lrqat::kernel::set_active_isa(isa);
  Operands on(shape);
  const LeftFactor<float> a =
      shape.layout == Left::rows
          ? LeftFactor<float>{on.a.data(), shape.m, shape.k, shape.a_stride, 1}
          : LeftFactor<float>{on.a.data(), shape.m, shape.k, 1, shape.a_stride};
  const MatrixView<const float> b(on.b.data(), shape.k, shape.n, shape.b_stride);
  const MatrixView<float> c(on.c.data(), shape.m, shape.n, shape.c_stride);
  for (auto _ : state) {
    lrqat::kernel::multiply(a, b, c);
    benchmark::ClobberMemory();
  }
  report(state, shape, isa);
}

#if __has_include(<Eigen/Core>)
void run_eigen(benchmark::State& state, const Case& shape) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Map = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;
  Eigen::setNbThreads(1);
  Operands on(shape);
  const auto size = [](std::size_t n) { return static_cast<Eigen::Index>(n); };
  const bool rows = shape.layout == Left::rows;
  const Map a(on.a.data(), size(rows ? shape.m : shape.k), size(rows ? shape.k : shape.m),
              Eigen::OuterStride<>(size(shape.a_stride)));
  const Map b(on.b.data(), size(shape.k), size(shape.n),
              Eigen::OuterStride<>(size(shape.b_stride)));
  Map c(on.c.data(), size(shape.m), size(shape.n), Eigen::OuterStride<>(size(shape.c_stride)));
  for (auto _ : state) {
    if (rows)
      c.noalias() += a * b;
    else
      c.noalias() += a.transpose() * b;
    benchmark::ClobberMemory();
  }
  state.SetLabel(Eigen::SimdInstructionSetsInUse());
  report(state, shape, lrqat::kernel::widest_isa());
}
#endif

#if __has_include(<openblas_config.h>)
void run_blas(benchmark::State& state, const Case& shape) {
  openblas_set_num_threads(1);
  state.SetLabel(openblas_get_corename());
  Operands on(shape);
  const auto size = [](std::size_t n) { return static_cast<int>(n); };
  for (auto _ : state) {
    cblas_sgemm(CblasRowMajor, shape.layout == Left::rows ? CblasNoTrans : CblasTrans, CblasNoTrans,
                size(shape.m), size(shape.n), size(shape.k), 1.0f, on.a.data(),
                size(shape.a_stride), on.b.data(), size(shape.b_stride), 1.0f, on.c.data(),
                size(shape.c_stride));
    benchmark::ClobberMemory();
  }
  report(state, shape, lrqat::kernel::widest_isa());
}
#endif

const bool registered = [] {
  for (const Case& shape : cases) {
    const std::string begin = "multiply/float/" + std::string(shape.name) + "_" +
                              std::to_string(shape.m) + "x" + std::to_string(shape.k) + "x" +
                              std::to_string(shape.n) + "/";
    const auto add = [&](const std::string& who, auto run, auto... arguments) {
      benchmark::RegisterBenchmark((begin + who).c_str(), run, shape, arguments...);
    };
    for (const Isa isa : lrqat::kernel::all_isas)
      if (lrqat::kernel::machine_has(isa)) add(std::string(name(isa)), run_lrqat, isa);
#if __has_include(<Eigen/Core>)
    add("eigen", run_eigen);
#endif
#if __has_include(<openblas_config.h>)
    add("blas", run_blas);
#endif
  }
  return true;
}();

}  // namespace
