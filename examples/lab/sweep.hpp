// SPDX-License-Identifier: MIT
// examples/lab/sweep.hpp: many small models, from scratch, over sizes, token counts, group sizes.
#ifndef LRQAT_LAB_SWEEP_HPP
#define LRQAT_LAB_SWEEP_HPP

#include "finished_runs.hpp"
#include "progress.hpp"
#include "scheme.hpp"
#include "text.hpp"

#include <lrqat/nn/llama_weights.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lrqat::lab {

/// A model's width and depth; "64x3" has 3 blocks of 64 numbers a token.
struct SweepSize {
  std::size_t dim = 0, layers = 0;

  std::string name() const;
  bool operator==(const SweepSize&) const = default;
};

/// @throws Error that shows what a size looks like
SweepSize parse_sweep_size(const std::string& text);

struct SweepPlan {
  std::vector<SweepSize> sizes{};
  std::vector<std::uint64_t> token_counts{};  // to train on; rounded to whole steps
  std::vector<std::size_t> group_sizes{};     // of quantized runs; each has an unquantized twin
  Scheme scheme{};                            // its sharing is replaced by the group sizes
  std::size_t vocab = 0, context = 64, batch = 8;
  double rate = 4e-3, scale_rate = 1e-3;
  std::uint64_t seed = 1;
  std::size_t windows = 0;  // of a text that is measured on; 0: all
};

/// A run of a sweep and, once it is finished, what it ended with.
struct SweepPoint {
  SweepSize size{};
  std::size_t parameters = 0;          // weights of the linear layers
  std::uint64_t tokens = 0;            // trained on
  std::size_t group_size = 1;          // 1: not quantized
  double dev_loss = 0, test_loss = 0;  // nats for a token

  bool is_same_run(const SweepPoint& other) const {
    return size == other.size && tokens == other.tokens && group_size == other.group_size;
  }
};

/// A finished one, as the file and the report have it.
JsonObject json_of_point(const SweepPoint& point);

/// Heads of 16, hidden layers of 8/3 of the width rounded up to a multiple of 64, tied embedding.
LlamaConfig sweep_config(const SweepPlan& plan, const SweepSize& size);

/// In the plan's order of sizes and tokens; for each, the unquantized twin first.
/// @throws Error where a step is too large, a group does not fit a layer, or two runs are the same
std::vector<SweepPoint> sweep_points(const SweepPlan& plan);

/// Everything besides size, tokens and group size that the losses depend on, as text.
std::string sweep_fingerprint(const SweepPlan& plan, const Splits& splits);

/// Trains the points that `finished`, which may be null, does not hold yet, and hands them to it.
/// Nothing where `stop` ended it.
std::optional<std::vector<SweepPoint>> run_sweep(const SweepPlan& plan, const Splits& splits,
                                                 FinishedRuns* finished, ProgressBar& progress,
                                                 const std::atomic<bool>* stop);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_SWEEP_HPP
