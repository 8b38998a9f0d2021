// SPDX-License-Identifier: MIT
// tests/support/bigram_model.hpp: a small problem with a known answer, for the training loop.
#ifndef LRQAT_TESTS_SUPPORT_BIGRAM_MODEL_HPP
#define LRQAT_TESTS_SUPPORT_BIGRAM_MODEL_HPP

#include <lrqat/core/parameter.hpp>
#include <lrqat/core/rng.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lrqat::test {

/// Predicts a token from the one before it: logits = table[token] + bias, cross entropy.
class BigramModel {
 public:
  static constexpr std::size_t vocabulary = 16;

  BigramModel() {
    const CounterRng rng(5, 0);
    for (std::size_t i = 0; i < table_.size(); ++i) table_[i] = 0.1f * rng.normal(i);
  }
  BigramModel(const BigramModel&) = delete;  // parameters() are spans into this object
  BigramModel& operator=(const BigramModel&) = delete;

  Parameters<float> parameters() {
    return {{"table", Role::weight, table_, grad_table_}, {"bias", Role::bias, bias_, grad_bias_}};
  }

  double operator()(std::span<const std::uint16_t> inputs, std::span<const std::uint16_t> targets,
                    std::size_t, std::size_t, float gradient_scale) {
    double loss = 0;
    const float share = gradient_scale / static_cast<float>(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::size_t row = inputs[i] * vocabulary;
      std::array<double, vocabulary> weight{};
      double sum = 0;
      for (std::size_t j = 0; j < vocabulary; ++j)
        sum += weight[j] = std::exp(static_cast<double>(table_[row + j] + bias_[j]));
      loss += std::log(sum / weight[targets[i]]);
      for (std::size_t j = 0; j < vocabulary; ++j) {
        const float error = static_cast<float>(weight[j] / sum) - (targets[i] == j ? 1.0f : 0.0f);
        grad_table_[row + j] += share * error;
        grad_bias_[j] += share * error;
      }
    }
    return loss / static_cast<double>(inputs.size());
  }

  /// Table, then bias.
  std::vector<float> values() const {
    std::vector<float> all = table_;
    all.insert(all.end(), bias_.begin(), bias_.end());
    return all;
  }
  std::vector<float> gradients() const {
    std::vector<float> all = grad_table_;
    all.insert(all.end(), grad_bias_.begin(), grad_bias_.end());
    return all;
  }
  std::vector<float>& table() { return table_; }

 private:
  std::vector<float> table_ = std::vector<float>(vocabulary * vocabulary);
  std::vector<float> grad_table_ = table_;
  std::vector<float> bias_ = std::vector<float>(vocabulary);
  std::vector<float> grad_bias_ = bias_;
};

/// After t comes 3 t or 3 t + 1 (modulo 16), evenly: the best possible loss is ln 2.
inline std::vector<std::uint16_t> bigram_stream(std::size_t size) {
  const CounterRng rng(6, 0);
  std::vector<std::uint16_t> stream(size);
  for (std::size_t i = 1; i < size; ++i)
    stream[i] = static_cast<std::uint16_t>((stream[i - 1] * 3u + rng.below(2, i)) % 16u);
  return stream;
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_SUPPORT_BIGRAM_MODEL_HPP
