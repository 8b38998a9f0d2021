// SPDX-License-Identifier: MIT
// benchmarks/nn/kv_cache.bench.cpp: attention of one new token over the keys and values it has
// seen, from floats and from codes of 8 and 4 bits.
//
// A time is the best of several runs. `bytes` is what the cache of the layer keeps, codes, scales
// and zero points; `of_read` is the fraction of what passes over as many bytes read that do nothing
// else, measured in the same run. Keys in codes are rotated and quantized to 8 bits when they are
// read, keys in floats were rotated when they came. LRQAT_BENCHMARKS=all adds grouped queries.
#include <lrqat/nn/attention.hpp>
#include <lrqat/nn/kv_cache.hpp>
#include <lrqat/nn/quantized_kv_cache.hpp>

#include "../ceilings.hpp"
#include "../registration.hpp"
#include "../timing.hpp"
#include "random_llama.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

namespace {

using namespace lrqat;
using benchmarks::random_numbers;

struct Case {
  std::size_t heads, kv_heads, head_dim, seen;
  int bits, threads;  // 32: floats

  LlamaConfig config() const {
    LlamaConfig config;
    config.dim = heads * head_dim;
    config.layers = 1;
    config.heads = heads;
    config.kv_heads = kv_heads;
    config.head_dim = head_dim;
    config.context = seen;
    return config;
  }
  AttentionShape shape() const { return {1, 1, seen, heads, kv_heads, head_dim}; }
};

/// Calls write(first, key, value) with tokens from `first` on until all are there: the same 64 over
/// and over.
template <class Write>
void for_all_tokens(const Case& each, Write write) {
  constexpr std::size_t most = 64;
  const std::size_t width = each.kv_heads * each.head_dim;
  const AlignedVector<float> key = random_numbers(most * width, 2),
                             value = random_numbers(most * width, 3);
  for (std::size_t first = 0; first < each.seen; first += most) {
    const std::size_t count = std::min(most, each.seen - first);
    write(first, MatrixView<const float>(key.data(), count, width),
          MatrixView<const float>(value.data(), count, width));
  }
}

template <class Attend>
void measure(benchmark::State& state, const Case& each, std::size_t bytes, Attend attend) {
  const AttentionShape shape = each.shape();
  const Shape wide = shape.query_shape(), sums = shape.log_sum_exp_shape();
  const AlignedVector<float> query = random_numbers(wide.size(), 1);
  AlignedVector<float> output(wide.size()), log_sum_exp(sums.size());
  const double seconds = benchmarks::best_of_several(each.threads, [&] {
    attend(shape, MatrixView<const float>(query.data(), wide.rows, wide.cols),
           MatrixView<float>(output.data(), wide.rows, wide.cols),
           MatrixView<float>(log_sum_exp.data(), sums.rows, sums.cols));
  });
  for (auto _ : state) state.SetIterationTime(seconds);
  const double read = benchmarks::measure_read_bandwidth(kernel::widest_isa(), bytes, each.threads);
  const double rate = static_cast<double>(bytes) / seconds;
  state.counters["bytes"] = static_cast<double>(bytes);
  state.counters["bytes_per_second"] = rate;
  state.counters["read_bytes_per_second"] = read;
  state.counters["of_read"] = rate / read;
}

void run_floats(benchmark::State& state, const Case& each) {
  KvCache<float> cache(each.config());
  for_all_tokens(
      each, [&](std::size_t first, MatrixView<const float> key, MatrixView<const float> value) {
        const std::size_t size = key.rows * key.cols;
        std::copy_n(key.data, size, cache.keys(0).row(first).data());
        std::copy_n(value.data, size, cache.values(0).row(first).data());
      });
  const MatrixView<const float> key = cache.keys(0), value = cache.values(0);
  measure(state, each, cache.bytes(),
          [&](const AttentionShape& shape, auto query, auto output, auto log_sum_exp) {
            attention_forward<float>(shape, query, key, value, output, log_sum_exp);
          });
}

void run_codes(benchmark::State& state, const Case& each) {
  const ActivationBits bits{{each.bits, ZeroPointMode::integer}, {8, ZeroPointMode::integer}};
  QuantizedKvCache cache(each.config(), bits);
  for_all_tokens(each,
                 [&](std::size_t, MatrixView<const float> key, MatrixView<const float> value) {
                   cache.write(0, key, value);
                   cache.append(key.rows);
                 });
  const LlamaConfig config = each.config();
  Rope<float> rope(config.head_dim, config.rope_theta);
  rope.prepare(each.seen);
  measure(state, each, cache.bytes(),
          [&](const AttentionShape& shape, auto query, auto output, auto log_sum_exp) {
            const auto source_of = [&](std::size_t, std::size_t head) {
              return CachedKeys{&cache, &rope, bits.rotated, 0, head};
            };
            attention_over<float>(shape, query, source_of, output, log_sum_exp);
          });
}

void add(const Case& each) {
  const std::string kind = each.bits == 32 ? "float" : "int" + std::to_string(each.bits);
  const std::string name = "kv_cache/" + kind + "/head" + std::to_string(each.head_dim) + "/heads" +
                           std::to_string(each.heads) + "_" + std::to_string(each.kv_heads) +
                           "/seen" + std::to_string(each.seen) + "/threads" +
                           std::to_string(each.threads);
  benchmark::RegisterBenchmark(name.c_str(),
                               [=](benchmark::State& state) {
                                 set_thread_count(each.threads);
                                 each.bits == 32 ? run_floats(state, each) : run_codes(state, each);
                               })
      ->Iterations(1)
      ->UseManualTime();
}

void register_all() {
  const int most = std::min(thread_count(), 2);
  for (const std::size_t kv_heads : {std::size_t{32}, std::size_t{8}})
    for (int threads = 1; threads <= most; ++threads)
      for (const int bits : {32, 8, 4})
        if (kv_heads == 32 || benchmarks::all_wanted())
          add({32, kv_heads, 128, 4096, bits, threads});
}

const bool registered = [] {
  benchmarks::registrations().push_back(register_all);
  return true;
}();

}  // namespace
