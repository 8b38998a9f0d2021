// SPDX-License-Identifier: MIT
// benchmarks/nn/attention.bench.cpp: causal attention by the width of a head.
//
// A time is the best of several runs on one thread. `flops` counts the useful operations of the
// pairs (query, key) under the causal mask: 4 head_dim forward, 8 head_dim backward, whatever is
// rebuilt or done beside them; `ns_per_pair` shows what the exponentials and the rest cost where a
// head is narrow. LRQAT_BENCHMARKS=all in the environment adds the longer sequences.
#include <lrqat/nn/attention.hpp>

#include "../ceilings.hpp"
#include "../registration.hpp"
#include "../timing.hpp"
#include "random_llama.hpp"

#include <lrqat/nn/attention_gradient.hpp>

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

namespace {

using namespace lrqat;
using benchmarks::random_numbers;

enum class Pass { forward, backward };

struct Case {
  AttentionShape shape;
  Pass pass;
};

void run(benchmark::State& state, const Case& each) {
  const AttentionShape& shape = each.shape;
  const Shape wide = shape.query_shape(), narrow = shape.key_shape();
  const Shape sums = shape.log_sum_exp_shape();
  AlignedVector<float> query = random_numbers(wide.size(), 1), key = random_numbers(narrow.size(), 2),
                       value = random_numbers(narrow.size(), 3), grad_output = random_numbers(wide.size(), 4);
  AlignedVector<float> output(wide.size()), log_sum_exp(sums.size()), grad_query(wide.size()),
      grad_key(narrow.size()), grad_value(narrow.size());
  const auto view = [](AlignedVector<float>& values, Shape s) {
    return MatrixView<float>(values.data(), s.rows, s.cols);
  };
  set_thread_count(1);
  const auto forward = [&] {
    attention_forward<float>(shape, view(query, wide), view(key, narrow), view(value, narrow),
                             view(output, wide), view(log_sum_exp, sums));
  };
  const auto backward = [&] {
    attention_backward<float>(
        shape,
        {view(query, wide), view(key, narrow), view(value, narrow), view(output, wide),
         view(log_sum_exp, sums), view(grad_output, wide)},
        {view(grad_query, wide), view(grad_key, narrow), view(grad_value, narrow)});
  };
  forward();
  const double seconds = each.pass == Pass::forward ? benchmarks::best_of_several(1, forward)
                                                    : benchmarks::best_of_several(1, backward);
  const double past = static_cast<double>(shape.keys - shape.queries);
  const double queries = static_cast<double>(shape.queries);
  const double pairs = static_cast<double>(shape.sequences * shape.heads) *
                       (queries * past + queries * (queries + 1) / 2);
  const double flops =
      pairs * static_cast<double>(shape.head_dim) * (each.pass == Pass::forward ? 4 : 8);
  for (auto _ : state) state.SetIterationTime(seconds);
  state.counters["flops"] = flops / seconds;
  state.counters["fraction_of_peak"] =
      flops / seconds / benchmarks::peak_flops(kernel::widest_isa(), 1);
  state.counters["ns_per_pair"] = seconds / pairs * 1e9;
}

void add(const Case& each) {
  const AttentionShape& s = each.shape;
  const std::string name =
      std::string("attention/") + (each.pass == Pass::forward ? "forward" : "backward") + "/head" +
      std::to_string(s.head_dim) + "/T" + std::to_string(s.queries) +
      (s.keys == s.queries ? "" : "of" + std::to_string(s.keys)) + "/heads" +
      std::to_string(s.heads) + "_" + std::to_string(s.kv_heads);
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { run(state, each); })
      ->Iterations(1)
      ->UseManualTime();
}

void register_all() {
  std::vector<AttentionShape> shapes;
  for (const std::size_t dim : {8, 16, 48, 64, 128}) {
    shapes.push_back({1, 512, 512, 8, 4, dim});
    if (!benchmarks::all_wanted()) continue;
    for (const std::size_t length : {64, 256, 2048})
      shapes.push_back({1, length, length, 8, 4, dim});
  }
  shapes.push_back({8, 1, 512, 8, 4, 8});  // one token after a cache
  shapes.push_back({8, 1, 512, 8, 4, 64});
  for (const Pass pass : {Pass::forward, Pass::backward})
    for (const AttentionShape& shape : shapes) add({shape, pass});
}

const bool registered = [] {
  benchmarks::registrations().push_back(register_all);
  return true;
}();

}  // namespace
