// SPDX-License-Identifier: MIT
// benchmarks/linear/quant_linear.bench.cpp: the passes of a layer, beside the machine's limits and
// other libraries' plain linear layers.
//
// A time is the best of several runs. `flops` counts the useful operations: 2 T N K forward,
// 4 T N K backward, 6 T N K a step (T tokens, N outputs, K inputs), whatever is rebuilt beside
// them. `fraction_of_peak` is a fraction of the float32 peak; rows in bfloat16 have beside it
// `fraction_of_bf16_peak`, of the unit that they ran on. LRQAT_BENCHMARKS=all in the environment
// adds the rows that a quick look does without.
#include <lrqat/lrqat.hpp>

#if __has_include(<dnnl.hpp>)
#include <lrqat/backend/onednn.hpp>
#endif

#include "../ceilings.hpp"
#include "../peers/peers.hpp"
#include "../product_ceilings.hpp"
#include "../registration.hpp"
#include "../timing.hpp"

#include <benchmark/benchmark.h>

#include <cstring>
#include <initializer_list>
#include <string>
#include <type_traits>

namespace {

using namespace lrqat;
using benchmarks::best_of_several;
using benchmarks::LinearSizes;
using Sizes = std::initializer_list<std::size_t>;

/// The built-in Int<4> as a user would write it.
struct OwnInt4 {
  using policy_kind = kind::grid;
  static constexpr int bits = 4, code_min = -8, code_max = 7;
  static constexpr bool has_zero_point = false;
  template <class V>
  static V round(V u) {
    return round_half_even(u);
  }
  template <class V>
  static V clip(V rounded, V) {
    return clamp(rounded, V(-8), V(7));
  }
  template <class V>
  static int code(V level, V) {
    return static_cast<int>(level);
  }
  template <class V>
  static V level(int code, V) {
    return static_cast<V>(code);
  }
};

using Q44 = QuantLinear<Int<4>, PerChannel, FixedPoint, LowRank<dynamic>>;
using PackedInt4 = QuantLinear<Int<4>, PerChannel, Packed, LowRank<dynamic>>;
using Group128 = QuantLinear<Int<4>, PerGroup<128>, FixedPoint, LowRank<dynamic>>;
using Group32 = QuantLinear<Int<4>, PerGroup<32>, FixedPoint, LowRank<dynamic>>;
using InWeightDomain = QuantLinear<Int<4>, PerChannel, WeightDomain, LowRank<dynamic>>;
using Q44InBf16 =
    QuantLinear<Int<4>, PerChannel, FixedPoint, LowRank<dynamic>, Compute<lrqat::bf16>>;
using Group128InBf16 =
    QuantLinear<Int<4>, PerGroup<128>, FixedPoint, LowRank<dynamic>, Compute<lrqat::bf16>>;
using Beside = QuantLinear<Int<4>, PerChannel, LowRank<dynamic>, Parallel>;
using Sparse = QuantLinear<Int<4>, PerChannel, FixedPoint, SparseHadamard<dynamic>>;
using OwnGrid = QuantLinear<OwnInt4, PerChannel, FixedPoint, LowRank<dynamic>>;
#if __has_include(<dnnl.hpp>)
using Q44OnOneDnn = QuantLinear<Int<4>, PerChannel, FixedPoint, LowRank<dynamic>, OneDnn>;
#endif

/// Whether the large products of a scheme run on the unit for bfloat16.
template <class Layer>
inline constexpr bool multiplies_bf16 =
    std::is_same_v<Layer, Q44InBf16> || std::is_same_v<Layer, Group128InBf16>;

enum class Pass { rebuild, forward, backward, step };
constexpr const char* pass_names[] = {"rebuild", "forward", "backward", "step"};

struct Case {
  LinearSizes sizes;
  std::size_t rank;
  int threads;
  Pass pass;
};

void report(benchmark::State& state, const Case& each, double seconds) {
  const double product = 2.0 * static_cast<double>(each.sizes.tokens) *
                         static_cast<double>(each.sizes.out) * static_cast<double>(each.sizes.in);
  const double flops = product * (each.pass == Pass::forward    ? 1
                                  : each.pass == Pass::backward ? 2
                                                                : 3);
  state.SetIterationTime(seconds);
  state.counters["flops"] = flops / seconds;
  state.counters["fraction_of_peak"] =
      flops / seconds / benchmarks::peak_flops(kernel::widest_isa(), each.threads);
}

template <class Layer>
void run_layer(benchmark::State& state, const Case& each) {
  const std::size_t out = each.sizes.out, in = each.sizes.in, tokens = each.sizes.tokens;
  const CounterRng random(1, 0);
  AlignedVector<float> weight(out * in), x(tokens * in), grad_y(tokens * out), y(tokens * out),
      grad_x(tokens * in);
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = random.uniform(i) - 0.5f;
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 17) - 8.0f;
  for (std::size_t i = 0; i < grad_y.size(); ++i) grad_y[i] = static_cast<float>(i % 13) - 6.0f;
  QuantOptions options;
  options.rank = each.rank;
  Layer layer({weight.data(), out, in}, options);
  for (const auto& parameter : layer.parameters())
    if (parameter.role == Role::adapter && parameter.name != "B")
      for (std::size_t i = 0; i < parameter.value.size(); ++i)
        parameter.value[i] = random.uniform(i) - 0.5f;
  set_thread_count(each.threads);
  const MatrixView<const float> x_view(x.data(), tokens, in),
      grad_y_view(grad_y.data(), tokens, out);
  const double seconds = best_of_several(each.threads, [&] {
    if (each.pass != Pass::backward) layer.forward(x_view, {y.data(), tokens, out});
    if (each.pass != Pass::forward)
      layer.backward(x_view, grad_y_view, {grad_x.data(), tokens, in});
  });
  for (auto _ : state) report(state, each, seconds);
  if constexpr (multiplies_bf16<Layer>)
    state.counters["fraction_of_bf16_peak"] =
        state.counters["flops"] /
        benchmarks::peak_bf16_flops(kernel::active_bf16_unit(), each.threads);
  const LayerBytes bytes = layer.bytes();
  state.counters["weight_bytes"] = static_cast<double>(bytes.base + bytes.scales);
}

/// The tiles of W_hat one after the other, and the same bytes of codes copied.
template <class Layer>
void run_rebuild(benchmark::State& state, const Case& each) {
  const std::size_t out = each.sizes.out, in = each.sizes.in;
  AlignedVector<float> weight(out * in);
  const CounterRng random(1, 0);
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = random.uniform(i) - 0.5f;
  QuantOptions options;
  options.rank = each.rank;
  const Layer layer({weight.data(), out, in}, options);
  set_thread_count(each.threads);
  constexpr std::size_t side = 256;
  const std::size_t rows = (out + side - 1) / side;
  const double seconds = best_of_several(each.threads, [&] {
    parallel_for(rows, [&](std::size_t task) {
      const std::size_t row = task * side;
      for (std::size_t col = 0; col < in; col += side) {
        const Tile tile{row, col, std::min(side, out - row), std::min(side, in - col)};
        layer.weight().weight(tile, padded_scratch<struct tile_slot>(tile.rows, tile.cols));
      }
    });
  });
  const auto codes = layer.weight().base();
  AlignedVector<std::byte> copies(codes.size());
  const double copied = best_of_several(each.threads, [&] {
    parallel_for(rows, [&](std::size_t task) {
      const std::size_t first = codes.size() / rows * task;
      const std::size_t end = task + 1 == rows ? codes.size() : first + codes.size() / rows;
      std::memcpy(copies.data() + first, codes.data() + first, end - first);
      benchmark::ClobberMemory();
    });
  });
  for (auto _ : state) state.SetIterationTime(seconds);
  if constexpr (requires { layer.weight().adapter().rank(); }) {  // the product A B
    const double flops =
        2.0 * static_cast<double>(each.rank) * static_cast<double>(out) * static_cast<double>(in);
    state.counters["flops"] = flops / seconds;
    state.counters["fraction_of_peak"] =
        flops / seconds / benchmarks::peak_flops(kernel::widest_isa(), each.threads);
  }
  state.counters["times_copying_codes"] = seconds / copied;
}

void run_peer(benchmark::State& state, const Case& each, const benchmarks::NamedPeer& peer) {
  const auto layer = peer.make(each.sizes, each.threads);
  const double seconds = best_of_several(each.threads, [&] {
    if (each.pass != Pass::backward) layer->forward();
    if (each.pass != Pass::forward) layer->backward();
  });
  for (auto _ : state) report(state, each, seconds);
}

template <class Run, class... More>
void add(const std::string& scheme, const Case& each, Run run, const More&... more) {
  const std::string name = std::string(pass_names[static_cast<int>(each.pass)]) + "/" +
                           std::to_string(each.sizes.out) + "x" + std::to_string(each.sizes.in) +
                           "/T" + std::to_string(each.sizes.tokens) + "/threads" +
                           std::to_string(each.threads) + "/" + scheme;
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) { run(state, each, more...); })
      ->Iterations(1)
      ->UseManualTime();
}

template <class Layer>
void add_layer(const std::string& scheme, Case each) {
  add(scheme + "_r" + std::to_string(each.rank), each,
      each.pass == Pass::rebuild ? run_rebuild<Layer> : run_layer<Layer>);
}

void add_peers(const Case& each) {
  for (const auto& peer : benchmarks::known_peers()) add(peer.name, each, run_peer, peer);
}

void register_all() {
  const bool all = benchmarks::all_wanted();
  const int most = std::min(thread_count(), 2);
  constexpr std::size_t wide = 4096;
  for (int threads = 1; threads <= most; ++threads) {
    const auto of = [threads](Pass pass, std::size_t size, std::size_t tokens,
                              std::size_t rank = 32) {
      return Case{{size, size, tokens}, rank, threads, pass};
    };
    const auto add_schemes = [&](const Case& each) {
      add_layer<PackedInt4>("packed", each);
      add_layer<Group128>("group128", each);
      add_layer<Group32>("group32", each);
      add_layer<InWeightDomain>("weight_domain", each);
      add_layer<Beside>("parallel", each);
      add_layer<OwnGrid>("own_grid", each);
      add_layer<Sparse>("sparse_hadamard", each);
      add_layer<Group128InBf16>("group128_bf16", each);
    };
    add_layer<Q44>("q4.4", of(Pass::rebuild, wide, 1));
    add_layer<PackedInt4>("packed", of(Pass::rebuild, wide, 1));
    add_layer<Sparse>("sparse_hadamard", of(Pass::rebuild, wide, 1));
    add_layer<Q44>("q4.4", of(Pass::forward, wide, 512));
    add_layer<Q44>("q4.4", of(Pass::backward, wide, 512));
    for (const std::size_t tokens : Sizes{128, 512, 1024}) {
      add_layer<Q44>("q4.4", of(Pass::step, wide, tokens));
      add_layer<Q44InBf16>("q4.4_bf16", of(Pass::step, wide, tokens));
      if (tokens == 512 || all) add_schemes(of(Pass::step, wide, tokens));
#if __has_include(<dnnl.hpp>)
      if (tokens == 512)
        add_layer<Q44OnOneDnn>("q4.4_onednn_backend", of(Pass::step, wide, tokens));
#endif
      if (tokens != 1024 || all) add_peers(of(Pass::step, wide, tokens));
    }
    add_layer<Q44>("q4.4", of(Pass::step, 512, 512));
    add_layer<Q44InBf16>("q4.4_bf16", of(Pass::step, 512, 512));
    add_peers(of(Pass::step, 512, 512));
    if (threads > 1 && !all) continue;
    for (const std::size_t rank : Sizes{1, 8, 64, 256})
      add_layer<Q44>("q4.4", of(Pass::step, 1024, 512, rank));
    for (const std::size_t tokens : Sizes{1, 4, 15})
      add_layer<Q44>("q4.4", of(Pass::step, 1024, tokens));
    add_layer<Q44>("q4.4", of(Pass::step, 64, 2048));
    add_layer<Q44>("q4.4", Case{{172, 64, 2048}, 32, threads, Pass::step});
    add_layer<Q44>("q4.4", Case{{1000, 333, 77}, 32, threads, Pass::step});
    if (!all) continue;
    for (std::size_t tokens = 1; tokens <= 15; ++tokens)
      add_layer<Q44>("q4.4", of(Pass::step, wide, tokens));
    for (const std::size_t rank : Sizes{1, 4, 8, 16, 64, 256})
      add_layer<Q44>("q4.4", of(Pass::step, wide, 512, rank));
    add_layer<Q44>("q4.4", Case{{11008, 4096, 512}, 32, threads, Pass::step});
    add_layer<Q44>("q4.4", Case{{4096, 11008, 512}, 32, threads, Pass::step});
  }
}

// In main(), when the peers of other files are known.
const bool registered = [] {
  benchmarks::registrations().push_back(register_all);
  return true;
}();

}  // namespace
