// SPDX-License-Identifier: MIT
// nn/quantized_llama.test.cpp: a model with quantized attention against its definition in plain
// loops.
#include <lrqat/nn/llama.hpp>

#include <lrqat/linear/dense_linear.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/machine.hpp>
#include <support/tiny_llama.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace lrqat;

namespace {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

template <class T>
Llama<DenseLinear<T>> quantized_llama(const ActivationBits& bits,
                                      Recompute recompute = Recompute::keep) {
  return {test::random_llama(test::tiny_config(), 5),
          [](MatrixView<const float> weight, const LinearName&) { return DenseLinear<T>(weight); },
          {true, true, recompute, bits}};
}

/// Quantizers that can be frozen: then each gives the value it gave before plus the change of its
/// input where the gradient passes. The gradient of that is the straight-through gradient.
class Quantizers {
 public:
  explicit Quantizers(const ActivationBits& bits) : bits_(bits) {}
  void record() { frozen_ = false, seen_.clear(); }
  void freeze() { frozen_ = true, next_ = 0; }

  void cache(Row& x, std::size_t head_dim) { all(bits_.cache, x, head_dim); }
  void rotated(Row& x, std::size_t head_dim) { all(bits_.rotated, x, head_dim); }

 private:
  struct Seen {
    double before, after;
    bool passes;
  };

  void all(const AnyInput& how, Row& x, std::size_t head_dim) {
    if (!how.quantizes()) return;
    for (std::size_t first = 0; first < x.size(); first += head_dim) one(how, &x[first], head_dim);
  }
  void one(const AnyInput& how, double* x, std::size_t count) {
    const double most = (1 << how.bits) - 1;
    const auto [low, high] = std::minmax_element(x, x + count);
    const double delta = std::max((*high - *low) / most, static_cast<double>(1e-8f));
    double z = -*low / delta;
    if (how.zero_point == ZeroPointMode::integer)
      z = std::min(std::max(std::nearbyint(z), 0.0), most);
    for (std::size_t i = 0; i < count; ++i) {
      if (frozen_) {
        const Seen& seen = seen_[next_++];
        x[i] = seen.after + (seen.passes ? x[i] - seen.before : 0);
        continue;
      }
      const double code = std::nearbyint(x[i] / delta) + z;
      const double value = delta * (std::min(std::max(code, 0.0), most) - z);
      seen_.push_back({x[i], value, code >= 0 && code <= most});
      x[i] = value;
    }
  }

  ActivationBits bits_;
  bool frozen_ = false;
  std::size_t next_ = 0;
  std::vector<Seen> seen_;
};

/// The mean loss of the model on one sequence, from its weights.
double loss_by_definition(const Llama<DenseLinear<double>>& model, Quantizers& quantizers,
                          const std::vector<std::uint16_t>& inputs,
                          const std::vector<std::uint16_t>& targets) {
  const LlamaConfig& c = model.config();
  const std::size_t tokens = inputs.size(), d = c.head_dim;
  const auto product = [&](std::size_t b, LinearKind kind, const Row& x) {
    const auto weight = model.linear({b, kind}).weight();
    Row y(weight.rows);
    for (std::size_t i = 0; i < weight.rows; ++i)
      for (std::size_t j = 0; j < weight.cols; ++j) y[i] += weight(i, j) * x[j];
    return y;
  };
  const auto normed = [&](const Row& x, const auto& norm) {
    double squares = 0;
    for (const double value : x) squares += value * value / static_cast<double>(x.size());
    Row y(x);
    for (std::size_t i = 0; i < x.size(); ++i)
      y[i] *= norm.value[i] / std::sqrt(squares + static_cast<double>(c.norm_eps));
    return y;
  };
  const auto rotate = [&](Row& x, std::size_t position) {
    for (std::size_t i = 0; i < x.size(); i += 2) {
      const double angle =
          static_cast<double>(position) *
          std::pow(static_cast<double>(c.rope_theta),
                   -static_cast<double>(i % d) / static_cast<double>(d));
      const double even = x[i], odd = x[i + 1];
      x[i] = even * std::cos(angle) - odd * std::sin(angle);
      x[i + 1] = even * std::sin(angle) + odd * std::cos(angle);
    }
  };
  const auto table = model.frame().embedding.values();
  Rows stream(tokens);
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t i = 0; i < c.dim; ++i) stream[t].push_back(table[inputs[t] * c.dim + i]);
  for (std::size_t b = 0; b < c.layers; ++b) {
    Rows query(tokens), key(tokens), value(tokens);
    for (std::size_t t = 0; t < tokens; ++t) {
      const Row x = normed(stream[t], model.frame().attention_norm[b]);
      query[t] = product(b, LinearKind::query, x);
      key[t] = product(b, LinearKind::key, x);
      value[t] = product(b, LinearKind::value, x);
      quantizers.cache(key[t], d);
      quantizers.cache(value[t], d);
      rotate(query[t], t);
      rotate(key[t], t);
      quantizers.rotated(query[t], d);
      quantizers.rotated(key[t], d);
    }
    for (std::size_t t = 0; t < tokens; ++t) {
      Row attended(c.heads * d);
      for (std::size_t head = 0; head < c.heads; ++head) {
        const std::size_t at = head * d, kv = head / (c.heads / c.kv_heads) * d;
        Row power(t + 1);
        double sum = 0;
        for (std::size_t k = 0; k <= t; ++k) {
          for (std::size_t i = 0; i < d; ++i) power[k] += query[t][at + i] * key[k][kv + i];
          sum += power[k] = std::exp(power[k] / std::sqrt(static_cast<double>(d)));
        }
        for (std::size_t k = 0; k <= t; ++k)
          for (std::size_t i = 0; i < d; ++i) attended[at + i] += power[k] / sum * value[k][kv + i];
      }
      const Row branch = product(b, LinearKind::output, attended);
      for (std::size_t i = 0; i < c.dim; ++i) stream[t][i] += branch[i];
      const Row x = normed(stream[t], model.frame().mlp_norm[b]);
      Row gate = product(b, LinearKind::gate, x);
      const Row up = product(b, LinearKind::up, x);
      for (std::size_t i = 0; i < gate.size(); ++i) gate[i] *= up[i] / (1 + std::exp(-gate[i]));
      const Row mlp = product(b, LinearKind::down, gate);
      for (std::size_t i = 0; i < c.dim; ++i) stream[t][i] += mlp[i];
    }
  }
  double loss = 0;
  for (std::size_t t = 0; t < tokens; ++t) {
    const Row x = normed(stream[t], model.frame().final_norm);
    Row logits(c.vocab);
    double sum = 0;
    for (std::size_t i = 0; i < c.vocab; ++i) {
      for (std::size_t j = 0; j < c.dim; ++j) logits[i] += table[i * c.dim + j] * x[j];
      sum += std::exp(logits[i]);
    }
    loss += (std::log(sum) - logits[targets[t]]) / static_cast<double>(tokens);
  }
  return loss;
}

const ActivationBits cases[] = {
    {{8}, {8}},
    {{4}, {8}},
    {{4}, {4}},
    {{4}, {}},
    {{}, {4}},
    {{4, ZeroPointMode::integer}, {4, ZeroPointMode::integer}}};

}  // namespace

TEST_CASE("Llama with quantized attention: loss and straight-through gradients are those of its "
          "definition",
          "[nn]") {
  for (const ActivationBits& bits : cases) {
    INFO("keys and values " << bits.cache.bits << " bits, rotated " << bits.rotated.bits);
    auto model = quantized_llama<double>(bits);
    const auto inputs = test::random_tokens(7, 19, 1), targets = test::random_tokens(7, 19, 2);
    Quantizers quantizers(bits);
    const double wanted = loss_by_definition(model, quantizers, inputs, targets);
    // Some hundred roundings of numbers around 1 on the way, none of which moves a code.
    CHECK(std::abs(model.loss(inputs, targets, 1, 7) - wanted) <= 1e-12);
    CHECK(std::abs(model.loss_and_gradients(inputs, targets, 1, 7) - wanted) <= 1e-12);
    const auto loss = [&] {
      quantizers.freeze();
      return loss_by_definition(model, quantizers, inputs, targets);
    };
    CHECK(loss() == wanted);
    for (auto& parameter : model.parameters()) {
      INFO(parameter.name);
      CHECK(test::worst_gradient_error(loss, parameter.value, parameter.gradient, 11, 256) <= 1);
    }
  }
}

TEST_CASE("Llama with quantized attention: one set of bits for threads, recomputation, batches",
          "[nn]") {
  const test::MachineSettings settings;
  const auto inputs = test::random_tokens(3 * 75, 19, 1), targets = test::random_tokens(225, 19, 2);
  const auto gradients_of = [&](Llama<DenseLinear<float>> model) {
    std::vector<float> all{static_cast<float>(model.loss_and_gradients(inputs, targets, 3, 75))};
    for (const auto& parameter : model.parameters())
      all.insert(all.end(), parameter.gradient.begin(), parameter.gradient.end());
    return all;
  };
  for (const ActivationBits& bits : cases) {
    set_thread_count(1);
    const auto wanted = gradients_of(quantized_llama<float>(bits));
    CHECK(wanted != gradients_of(quantized_llama<float>({})));
    for (const int threads : test::thread_counts({2, 3, 7})) {
      set_thread_count(threads);
      CHECK(gradients_of(quantized_llama<float>(bits)) == wanted);
    }
    CHECK(gradients_of(quantized_llama<float>(bits, Recompute::per_block)) == wanted);
  }
}

TEST_CASE("Llama with quantized attention: masks are kept for training only", "[nn]") {
  auto plain = quantized_llama<float>({}), quantized = quantized_llama<float>({{8}, {8}});
  const auto inputs = test::random_tokens(200, 19, 1);
  plain.loss(inputs, inputs, 2, 100);
  quantized.loss(inputs, inputs, 2, 100);
  CHECK(quantized.activation_bytes() == plain.activation_bytes());
  plain.loss_and_gradients(inputs, inputs, 2, 100);
  quantized.loss_and_gradients(inputs, inputs, 2, 100);
  // A byte for each number of query (16), twice of key (8) and of value, in two blocks.
  CHECK(quantized.activation_bytes() - plain.activation_bytes() >= 2 * 200 * (16 + 3 * 8));
  CHECK(quantized.activation_bytes() - plain.activation_bytes() <= 2 * 200 * (16 + 3 * 8) + 1024);
}

TEST_CASE("Llama with quantized attention: widths that are none are refused", "[nn]") {
  CHECK_THROWS_WITH(quantized_llama<float>({{1}, {}}), Catch::Contains("keys and values of 1"));
}
