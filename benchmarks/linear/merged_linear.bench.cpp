// SPDX-License-Identifier: MIT
// benchmarks/linear/merged_linear.bench.cpp: merged layers, beside the machine's limits and
// oneDNN's product of bytes.
//
// A time is the best of several runs. Rows "int8" quantize their activations within it, as does
// onednn_u8_s8_layer; "int8_product" and onednn_u8_s8 find theirs quantized, and the latter has no
// scales and zero points. `weight_bytes_per_second` counts codes and scales once. For up to 8
// tokens a pass that only reads the codes of the same layer is timed in turns with the product:
// `read_bytes_per_second` is the best of those, and `of_read` the fraction of it. `of_vnni` and
// `of_amx` are fractions of what those units multiply in registers. LRQAT_BENCHMARKS=all adds
// shapes and widths.
#include <lrqat/lrqat.hpp>

#include "../ceilings.hpp"
#include "../peers/peers.hpp"
#include "../product_ceilings.hpp"
#include "../registration.hpp"
#include "../timing.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace {

using namespace lrqat;
using benchmarks::LinearSizes;
using Bytes = Input<UInt<8>, PerToken, IntegerZeroPoint>;

template <int Bits>
using InFloat = MergedLinear<Int<Bits>>;
template <int Bits>
using InInt8 = MergedLinear<Int<Bits>, Bytes, CpuInt8>;

/// The last layer of each width that was asked for; a group of 0 is a whole row.
template <int Bits>
const InFloat<Bits>& float_layer(Shape shape, std::size_t group) {
  static std::unique_ptr<InFloat<Bits>> layer;
  const std::size_t columns = group == 0 ? shape.cols : group;
  const ScaleLayout layout{{shape.rows, (shape.cols + columns - 1) / columns}, columns};
  if (layer && layer->shape() == shape && layer->layout() == layout) return *layer;
  layer.reset();
  const CounterRng random(1, 0);
  AlignedVector<float> scales(layout.size());
  for (std::size_t i = 0; i < scales.size(); ++i) scales[i] = 0.01f + random.uniform(i);
  layer = std::make_unique<InFloat<Bits>>(shape, layout, scales, std::span<const float>(),
                                          std::span<const float>());
  set_thread_count(2);
  parallel_for(shape.rows, [&](std::size_t row) {
    for (std::size_t col = 0; col < shape.cols; ++col) {
      const auto mixed = static_cast<unsigned>((row * 31 + col) * 2654435761u >> 16);
      layer->set_code(row, col, static_cast<int>(mixed % (1u << Bits)) + Int<Bits>::code_min);
    }
  });
  return *layer;
}

/// One pass over the codes of a layer that does nothing but read.
template <class Layer>
void read_codes(const Layer& layer, int threads) {
  const std::size_t words = layer.bytes().base / 4, parts = static_cast<std::size_t>(threads);
  [[maybe_unused]] volatile std::uint32_t sink = 0;
  parallel_for(parts, [&](std::size_t part) {
    sink = benchmarks::with_ceiling(kernel::widest_isa(), [&](auto ceiling) {
      return decltype(ceiling)::read(layer.panel(0) + words / parts * part, words / parts);
    });
  });
}

/// Of each unit that there is.
void add_fractions(benchmark::State& state, double operations, int threads) {
  using benchmarks::ProductUnit;
  const std::pair<ProductUnit, const char*> units[] = {{ProductUnit::avx512_vnni, "of_vnni"},
                                                       {ProductUnit::amx_int8, "of_amx"}};
  for (const auto& [unit, counter] : units)
    if (benchmarks::machine_has(unit))
      state.counters[counter] = operations / benchmarks::peak_int8_operations(unit, threads);
}

double operations_per_second(const LinearSizes& sizes, double seconds) {
  return 2.0 * static_cast<double>(sizes.out) * static_cast<double>(sizes.in) *
         static_cast<double>(sizes.tokens) / seconds;
}

/// (tokens, in)
AlignedVector<float> some_inputs(const LinearSizes& sizes) {
  AlignedVector<float> x(sizes.tokens * sizes.in);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17) - 8.0f;
  return x;
}

template <class Layer>
void measure(benchmark::State& state, const Layer& layer, const LinearSizes& sizes, int threads,
             bool in_int8) {
  const std::size_t out = sizes.out, in = sizes.in, tokens = sizes.tokens;
  const AlignedVector<float> x = some_inputs(sizes);
  AlignedVector<float> y(tokens * out);
  set_thread_count(threads);
  double best = 1e30, best_read = 1e30, spent = 0;
  for (int runs = 0; runs < 5 || spent < 0.5; ++runs) {
    const double start = benchmarks::seconds_now(threads);
    layer.forward({x.data(), tokens, in}, {y.data(), tokens, out});
    const double middle = benchmarks::seconds_now(threads);
    if (tokens <= 8) read_codes(layer, threads);
    const double end = benchmarks::seconds_now(threads);
    spent += end - start;
    if (runs == 0) continue;
    best = std::min(best, middle - start);
    best_read = std::min(best_read, end - middle);
  }
  for (auto _ : state) state.SetIterationTime(best);
  const double operations = operations_per_second(sizes, best);
  const double codes = static_cast<double>(layer.bytes().base);
  const double scales = static_cast<double>(layer.scales().size_bytes());
  state.counters[in_int8 ? "int8_operations" : "flops"] = operations;
  state.counters["weight_bytes_per_second"] = (codes + scales) / best;
  if (tokens <= 8) {
    state.counters["read_bytes_per_second"] = codes / best_read;
    state.counters["of_read"] = (codes + scales) / best / (codes / best_read);
  }
  if (in_int8) add_fractions(state, operations, threads);
  if (!in_int8)
    state.counters["fraction_of_peak"] =
        operations / benchmarks::peak_flops(kernel::widest_isa(), threads);
}

/// The product of a layer alone, with activations that are quantized already.
template <class Layer>
void measure_product(benchmark::State& state, const Layer& layer, const LinearSizes& sizes,
                     int threads) {
  const AlignedVector<float> x = some_inputs(sizes);
  AlignedVector<float> y(sizes.tokens * sizes.out);
  set_thread_count(threads);
  const auto codes = CpuInt8::Activations::make<Bytes>(layer, {x.data(), sizes.tokens, sizes.in});
  const double best = benchmarks::best_of_several(threads, [&] {
    CpuInt8::multiply(layer, codes, {y.data(), sizes.tokens, sizes.out});
  });
  for (auto _ : state) state.SetIterationTime(best);
  const double operations = operations_per_second(sizes, best);
  state.counters["int8_operations"] = operations;
  add_fractions(state, operations, threads);
}

void run_peer(benchmark::State& state, const LinearSizes& sizes, int threads,
              const benchmarks::NamedPeer& peer) {
  const auto layer = peer.make(sizes, threads);
  const double best = benchmarks::best_of_several(threads, [&] { layer->forward(); });
  for (auto _ : state) state.SetIterationTime(best);
  const double weights = static_cast<double>(sizes.out) * static_cast<double>(sizes.in);
  const double operations = operations_per_second(sizes, best);
  state.counters["int8_operations"] = operations;
  state.counters["weight_bytes_per_second"] = weights / best;
  add_fractions(state, operations, threads);
}

template <class Run>
void add(const LinearSizes& sizes, int threads, const std::string& scheme, Run run) {
  const std::string name = "merged/" + std::to_string(sizes.out) + "x" + std::to_string(sizes.in) +
                           "/T" + std::to_string(sizes.tokens) + "/threads" +
                           std::to_string(threads) + "/" + scheme;
  benchmark::RegisterBenchmark(name.c_str(), run)->Iterations(1)->UseManualTime();
}

template <int Bits>
void add_layer(const LinearSizes& sizes, int threads, std::size_t group) {
  const Shape shape{sizes.out, sizes.in};
  const std::string scheme =
      "int" + std::to_string(Bits) + (group == 0 ? "" : "_g" + std::to_string(group));
  add(sizes, threads, scheme + "_int8", [=](benchmark::State& state) {
    const auto layer = float_layer<Bits>(shape, group).template in<Compute<int8>, Bytes>();
    measure(state, layer, sizes, threads, true);
  });
  if (sizes.tokens >= 128)
    add(sizes, threads, scheme + "_int8_product", [=](benchmark::State& state) {
      const auto layer = float_layer<Bits>(shape, group).template in<Compute<int8>, Bytes>();
      measure_product(state, layer, sizes, threads);
    });
  add(sizes, threads, scheme + "_float", [=](benchmark::State& state) {
    measure(state, float_layer<Bits>(shape, group), sizes, threads, false);
  });
}

void add_peers(const LinearSizes& sizes, int threads) {
  for (const auto& peer : benchmarks::known_int8_peers())
    add(sizes, threads, peer.name,
        [=](benchmark::State& state) { run_peer(state, sizes, threads, peer); });
}

void register_all() {
  const bool all = benchmarks::all_wanted();
  const int most = std::min(thread_count(), 2);
  constexpr std::size_t wide = 4096, beyond_caches = 16384;
  for (const std::size_t group : {std::size_t{0}, std::size_t{128}, std::size_t{32}})
    for (const std::size_t tokens : {std::size_t{1}, std::size_t{8}})
      for (int threads = 1; threads <= most; ++threads)
        if (all || (tokens == 1 && group != 32))
          add_layer<4>({beyond_caches, beyond_caches, tokens}, threads, group);
  for (const std::size_t tokens : {std::size_t{1}, std::size_t{8}})
    for (int threads = 1; threads <= most && (all || tokens == 1); ++threads) {
      if (all) add_layer<8>({beyond_caches, beyond_caches, tokens}, threads, 0);
      add_peers({beyond_caches, beyond_caches, tokens}, threads);
    }
  for (const std::size_t tokens :
       {std::size_t{1}, std::size_t{8}, std::size_t{128}, std::size_t{512}})
    for (int threads = 1; threads <= most; ++threads) {
      if (!all && threads < most) continue;
      const LinearSizes sizes{wide, wide, tokens};
      add_layer<4>(sizes, threads, 0);
      add_layer<4>(sizes, threads, 128);
      add_peers(sizes, threads);
      if (!all && tokens != 128) continue;
      add_layer<4>(sizes, threads, 32);
      add_layer<8>(sizes, threads, 0);
      add_layer<3>(sizes, threads, 0);
      add_layer<2>(sizes, threads, 0);
    }
}

// In main(), when the peers of other files are known.
const bool registered = [] {
  benchmarks::registrations().push_back(register_all);
  return true;
}();

}  // namespace
