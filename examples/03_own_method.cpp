// SPDX-License-Identifier: MIT
// 03_own_method.cpp: an adapter and an estimator of one's own, beside LR-QAT on a real checkpoint:
//   example_03_own_method model.bin train.u16 test.u16   (of llama2.c, and texts as 16-bit tokens)
#include <lrqat/io/llama2c.hpp>
#include <lrqat/io/token_stream.hpp>
#include <lrqat/lrqat.hpp>
#include <lrqat/nn/perplexity.hpp>
#include <lrqat/train/next_token.hpp>
#include <lrqat/train/trainer.hpp>
#include <cstdio>
using namespace lrqat;

struct OuterSum {  // delta(i, j) = a(i) + b(j): out + in numbers, and no product
  using policy_kind = kind::adapter;
  static constexpr bool keeps_base = false;
  struct state {
    std::vector<float> a, b, grad_a, grad_b;
    state(Shape w, const QuantOptions&) : a(w.rows), b(w.cols), grad_a(w.rows), grad_b(w.cols) {}
    Parameters<float> parameters() {
      return {{"a", Role::adapter, a, grad_a}, {"b", Role::adapter, b, grad_b}};
    }
    void add(const Tile& t, MatrixView<float> z) const {
      for (std::size_t i = 0; i < t.rows; ++i)
        for (std::size_t j = 0; j < t.cols; ++j) z(i, j) += a[t.row + i] + b[t.col + j];
    }
    std::size_t shared_gradients() const { return a.size(); }  // blocks of columns share a
    void backward(const Tile& t, MatrixView<const float> g, std::span<float> shared) {
      for (std::size_t i = 0; i < t.rows; ++i)
        for (std::size_t j = 0; j < t.cols; ++j) {
          shared[t.row + i] += g(i, j);
          grad_b[t.col + j] += g(i, j);
        }
    }
    void reduce(std::span<const float> shared) {
      for (std::size_t i = 0; i < a.size(); ++i) grad_a[i] += shared[i];
    }
  };
};
struct Leaky : StraightThrough {  // a clipped weight keeps a tenth of its gradient
  static float pass(float, float rounded, float level, float, float) {
    return rounded == level ? 1.0f : 0.1f;
  }
};
template <class Linear>
void train_and_measure(const char* name, char** files) {
  const auto make = [](MatrixView<const float> w, const LinearName&) { return Linear(w); };
  Llama<Linear> model(read_llama2c(files[1]), make);
  const auto text = read_token_stream(files[2], model.config().vocab);
  const auto test = read_token_stream(files[3], model.config().vocab);
  TokenBatches<Token> batches(text, 256, 4, 1);
  AdamW optimizer(model.parameters(), {.learning_rate = 1e-2, .rules = {{Role::scale, 2e-3}}});
  train({.steps = 60, .max_norm = 1.0}, batches, optimizer, next_token(model));
  std::printf("%-20s %.3f\n", name, perplexity(model, test, {.windows = 50}).perplexity);
}
int main(int argc, char** argv) {
  if (argc != 4) return std::printf("usage: %s model.bin train.u16 test.u16\n", argv[0]), 2;
  train_and_measure<QuantLinear<Int<3>, LpSearch<2>>>("PEQA", argv);
  train_and_measure<QuantLinear<Int<3>, LpSearch<2>, OuterSum, Leaky>>("a(i) + b(j), leaky", argv);
  train_and_measure<QuantLinear<Int<3>, LpSearch<2>, LowRank<1>>>("LR-QAT, rank 1", argv);
}
