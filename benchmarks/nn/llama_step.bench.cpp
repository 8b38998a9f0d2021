// SPDX-License-Identifier: MIT
// benchmarks/nn/llama_step.bench.cpp: what each part of a training step of LR-QAT costs.
//
// The step is a real one: gradients to zero, forward and backward through lrqat::Llama, clipping,
// AdamW. The linear layers and the optimizer are timed inside of it, the other parts by themselves
// on activations of the same shapes, once for one block and counted for all. A time is the best of
// several; `share` is that of the whole step. "rest" is what the parts leave over: embedding,
// residual sums, and colder caches. LRQAT_BENCHMARKS=all in the environment adds two threads and
// one block as wide as LLaMA-2-7B's.
#include <lrqat/nn/llama.hpp>

#include "../registration.hpp"
#include "../timing.hpp"
#include "random_llama.hpp"

#include <lrqat/lrqat.hpp>
#include <lrqat/optim/adamw.hpp>
#include <lrqat/optim/clip.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace lrqat;
using benchmarks::best_of_several;
using benchmarks::random_numbers;
using benchmarks::seconds_now;

using Layer = QuantLinear<Int<4>, PerChannel, FixedPoint, LowRank<dynamic>>;

struct Case {
  std::string_view name;
  LlamaConfig config;
  std::size_t batch, length, rank;
};

LlamaConfig sizes(std::size_t dim, std::size_t hidden_dim, std::size_t layers, std::size_t heads,
                  std::size_t kv_heads, std::size_t vocab, std::size_t context) {
  LlamaConfig config;
  config.dim = dim;
  config.hidden_dim = hidden_dim;
  config.layers = layers;
  config.heads = heads;
  config.kv_heads = kv_heads;
  config.head_dim = dim / heads;
  config.vocab = vocab;
  config.context = context;
  return config;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"stories260K", sizes(64, 172, 5, 8, 4, 512, 512), 4, 512, 8},
      {"babyllama", sizes(128, 352, 6, 8, 8, 361, 256), 4, 256, 8},
      {"stories15M", sizes(288, 768, 6, 6, 6, 32000, 256), 4, 256, 32},
      // A small vocabulary: with one block of 32, the whole head would hide it.
      {"llama2_7B_block", sizes(4096, 11008, 1, 32, 32, 512, 1024), 1, 1024, 32}};
  return all;
}

enum class Part { linear, attention, norms, rope, swiglu, loss, optimizer, rest, whole };
constexpr std::array<std::string_view, 9> part_names{
    "linear", "attention", "norms", "rope", "swiglu", "loss", "optimizer", "rest", "whole"};

/// Seconds of one step and of its parts.
struct Times {
  std::array<double, part_names.size()> seconds{};
  double& operator[](Part part) { return seconds[static_cast<std::size_t>(part)]; }
  double operator[](Part part) const { return seconds[static_cast<std::size_t>(part)]; }
};

/// A layer that adds the time of its passes to a sum.
class TimedLayer {
 public:
  using scalar = float;

  TimedLayer(Layer layer, double& sum, int threads)
      : layer_(std::move(layer)), sum_(&sum), threads_(threads) {}
  std::size_t in_features() const { return layer_.in_features(); }
  std::size_t out_features() const { return layer_.out_features(); }
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    const double start = seconds_now(threads_);
    layer_.forward(x, y);
    *sum_ += seconds_now(threads_) - start;
  }
  void backward(MatrixView<const float> x, MatrixView<const float> grad_y,
                MatrixView<float> grad_x) {
    const double start = seconds_now(threads_);
    layer_.backward(x, grad_y, grad_x);
    *sum_ += seconds_now(threads_) - start;
  }
  Parameters<float> parameters() { return layer_.parameters(); }

 private:
  Layer layer_;
  double* sum_;
  int threads_;
};

/// Whole steps of the model: the entries linear, optimizer and whole.
void time_steps(const Case& each, int threads, Times& best) {
  double linear = 0;
  QuantOptions options;
  options.rank = each.rank;
  Llama<TimedLayer> model(benchmarks::random_llama(each.config),
                          [&](MatrixView<const float> weight, const LinearName&) {
                            return TimedLayer(Layer(weight, options), linear, threads);
                          });
  AdamWOptions rates;
  rates.learning_rate = 1e-4;
  AdamW optimizer(model.parameters(), rates);
  const std::size_t tokens = each.batch * each.length;
  std::vector<std::uint16_t> inputs(tokens), targets(tokens);
  const auto vocab = static_cast<std::uint32_t>(each.config.vocab);
  const CounterRng random(9, 0);
  for (std::size_t i = 0; i < tokens; ++i) {
    inputs[i] = static_cast<std::uint16_t>(random.below(vocab, 2 * i));
    targets[i] = static_cast<std::uint16_t>(random.below(vocab, 2 * i + 1));
  }
  best.seconds.fill(1e30);
  const auto keep_best = [&](Part part, double seconds) {
    best[part] = std::min(best[part], seconds);
  };
  best[Part::whole] = best_of_several(
      threads,
      [&] {
        linear = 0;
        const double start = seconds_now(threads);
        optimizer.zero_gradients();
        const double cleared = seconds_now(threads);
        model.loss_and_gradients(inputs, targets, each.batch, each.length);
        const double learned = seconds_now(threads);
        clip_gradients(optimizer.parameters(), 1.0);
        optimizer.step();
        keep_best(Part::linear, linear);
        keep_best(Part::optimizer, cleared - start + seconds_now(threads) - learned);
      },
      1.5);
}

/// Matrices with numbers in them, for a part that runs by itself.
class Activations {
 public:
  MatrixView<float> operator()(std::size_t rows, std::size_t cols) {
    memory_.push_back(random_numbers(rows * cols, memory_.size() + 1));
    return {memory_.back().data(), rows, cols};
  }
  MatrixView<float> operator()(Shape shape) { return (*this)(shape.rows, shape.cols); }

 private:
  std::vector<AlignedVector<float>> memory_;
};

double time_attention(const Case& each, int threads) {
  const LlamaConfig& c = each.config;
  const AttentionShape shape{each.batch, each.length, each.length, c.heads, c.kv_heads, c.head_dim};
  Activations make;
  const MatrixView<float> query = make(shape.query_shape()), key = make(shape.key_shape()),
                          value = make(shape.key_shape()), output = make(shape.query_shape()),
                          sums = make(shape.log_sum_exp_shape()),
                          grad_output = make(shape.query_shape());
  const AttentionGradients<float> gradients{make(shape.query_shape()), make(shape.key_shape()),
                                            make(shape.key_shape())};
  return best_of_several(threads, [&] {
    attention_forward<float>(shape, query, key, value, output, sums);
    attention_backward<float>(shape, {query, key, value, output, sums, grad_output}, gradients);
  });
}

double time_norm(const Case& each, int threads) {
  const std::size_t tokens = each.batch * each.length, dim = each.config.dim;
  Activations make;
  const MatrixView<float> x = make(tokens, dim), y = make(tokens, dim), grad_y = make(tokens, dim),
                          grad_x = make(tokens, dim);
  const MatrixView<float> weight = make(1, dim), inverse = make(1, tokens);
  return best_of_several(threads, [&] {
    rms_norm_forward<float>(x, weight.row(0), 1e-5f, y, inverse.row(0));
    rms_norm_backward<float>(x, weight.row(0), inverse.row(0), grad_y, grad_x, {});
  });
}

double time_rope(const Case& each, int threads) {
  const LlamaConfig& c = each.config;
  const std::size_t tokens = each.batch * each.length;
  Rope<float> rope(c.head_dim, static_cast<double>(c.rope_theta));
  rope.prepare(each.length);
  Activations make;
  const MatrixView<float> query = make(tokens, c.heads * c.head_dim),
                          key = make(tokens, c.kv_heads * c.head_dim);
  return best_of_several(threads, [&] {
    for (const MatrixView<float> x : {query, key}) {
      rope.forward(x, each.length);
      rope.backward(x, each.length);
    }
  });
}

double time_swiglu(const Case& each, int threads) {
  const Shape shape{each.batch * each.length, each.config.hidden_dim};
  Activations make;
  const MatrixView<float> gate = make(shape), up = make(shape), y = make(shape),
                          grad_gate = make(shape), grad_up = make(shape);
  return best_of_several(threads, [&] {
    swiglu_forward<float>(gate, up, y);
    swiglu_backward<float>(gate, up, y, grad_gate, grad_up);
  });
}

/// Head, cross entropy and the gradient of the head's input, for as many tokens at a time as the
/// model takes.
double time_loss(const Case& each, int threads) {
  const std::size_t tokens = each.batch * each.length, dim = each.config.dim;
  const std::size_t vocab = each.config.vocab;
  const std::size_t at_once = std::max<std::size_t>(256, (std::size_t{1} << 18) / vocab / 64 * 64);
  Activations make;
  const MatrixView<float> x = make(tokens, dim), grad_x = make(tokens, dim),
                          head = make(vocab, dim), logits = make(at_once, vocab);
  std::vector<std::uint16_t> targets(tokens);
  std::vector<double> nll(tokens);
  return best_of_several(threads, [&] {
    for (std::size_t first = 0; first < tokens; first += at_once) {
      const std::size_t count = std::min(at_once, tokens - first);
      const MatrixView<float> part = logits.block(0, 0, count, vocab);
      dense_forward<float>(x.block(first, 0, count, dim), head, part);
      cross_entropy_with_gradient(part, std::span(targets).subspan(first, count), 1e-3,
                                  std::span(nll).subspan(first, count));
      dense_input_gradient<float>(part, head, grad_x.block(first, 0, count, dim));
    }
  });
}

/// Measured when the first of its rows asks.
const Times& times_of(const Case& each, int threads) {
  static std::map<std::pair<std::string_view, int>, Times> known;
  const auto [place, is_new] = known.try_emplace({each.name, threads});
  Times& times = place->second;
  if (!is_new) return times;
  const int before = thread_count();
  set_thread_count(threads);
  time_steps(each, threads, times);
  const double layers = static_cast<double>(each.config.layers);
  times[Part::attention] = layers * time_attention(each, threads);
  times[Part::norms] = (2 * layers + 1) * time_norm(each, threads);
  times[Part::rope] = layers * time_rope(each, threads);
  times[Part::swiglu] = layers * time_swiglu(each, threads);
  times[Part::loss] = time_loss(each, threads);
  times[Part::rest] = times[Part::whole];
  for (std::size_t part = 0; part < static_cast<std::size_t>(Part::rest); ++part)
    times[Part::rest] -= times.seconds[part];
  set_thread_count(before);
  return times;
}

void run(benchmark::State& state, const Case& each, int threads, Part part) {
  const Times& times = times_of(each, threads);
  for (auto _ : state) state.SetIterationTime(std::max(times[part], 0.0));
  if (part == Part::whole)
    state.counters["tokens_per_second"] =
        static_cast<double>(each.batch * each.length) / times[part];
  else
    state.counters["share"] = times[part] / times[Part::whole];
}

void register_all() {
  const bool all = benchmarks::all_wanted();
  const int most = all ? std::min(thread_count(), 2) : 1;
  for (const Case& each : cases()) {
    if (!all && each.name == "llama2_7B_block") continue;
    for (int threads = 1; threads <= most; ++threads)
      for (std::size_t part = 0; part < part_names.size(); ++part) {
        const std::string name = "step/" + std::string(each.name) + "/T" +
                                 std::to_string(each.batch * each.length) + "/rank" +
                                 std::to_string(each.rank) + "/threads" + std::to_string(threads) +
                                 "/" + std::string(part_names[part]);
        benchmark::RegisterBenchmark(name.c_str(),
                                     [=, &each](benchmark::State& state) {
                                       run(state, each, threads, static_cast<Part>(part));
                                     })
            ->Iterations(1)
            ->UseManualTime();
      }
  }
}

const bool registered = [] {
  benchmarks::registrations().push_back(register_all);
  return true;
}();

}  // namespace
