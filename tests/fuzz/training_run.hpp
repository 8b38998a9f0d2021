// SPDX-License-Identifier: MIT
// tests/fuzz/training_run.hpp: an optimizer of four numbers, for checkpoints of a few hundred
// bytes.
#ifndef LRQAT_TESTS_FUZZ_TRAINING_RUN_HPP
#define LRQAT_TESTS_FUZZ_TRAINING_RUN_HPP

#include <lrqat/train/checkpoint.hpp>

#include <vector>

namespace lrqat::fuzz {

struct TrainingRun {
  static constexpr const char* fingerprint = "model 1, w4";

  std::vector<float> a{1, 2, 3}, grad_a{0.5f, -1, 0.25f}, s{0.125f}, grad_s{2};
  AdamW optimizer{{{"A", Role::adapter, a, grad_a}, {"scale", Role::scale, s, grad_s}}};

  std::vector<float> everything() {
    std::vector<float> all;
    for (const auto& tensor : detail::checkpoint_tensors(optimizer))
      all.insert(all.end(), tensor.numbers.begin(), tensor.numbers.end());
    return all;
  }
};

}  // namespace lrqat::fuzz

#endif  // LRQAT_TESTS_FUZZ_TRAINING_RUN_HPP
