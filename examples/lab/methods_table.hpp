// SPDX-License-Identifier: MIT
// examples/lab/methods_table.hpp: every method of the field on one model and one text.
#ifndef LRQAT_LAB_METHODS_TABLE_HPP
#define LRQAT_LAB_METHODS_TABLE_HPP

#include "experiment.hpp"
#include "finished_runs.hpp"
#include "line_plot.hpp"
#include "methods/method.hpp"
#include "progress.hpp"
#include "text.hpp"

#include <lrqat/io/json_line.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lrqat::lab {

/// One model of a row, made and measured.
struct MethodRun {
  std::uint64_t seed = 0;
  double rate_factor = 1;                   // on the learning rates
  double dev = 0, test = 0;                 // perplexity
  std::size_t trained = 0, peak_bytes = 0;  // as of TableRow
  double seconds = 0;                       // of making it, calibration included, and training
};

struct MethodRow {
  const PaperMethod* method = nullptr;
  int bits = 0;
  double bits_per_weight = 0;
  std::vector<MethodRun> runs{};  // one for each seed, with the rates that were chosen

  std::string name() const;  // "gptq-w3"
  std::vector<double> dev() const;
  std::vector<double> test() const;
  double mean_test() const;
  double mean_seconds() const;
};

struct MethodsPlan {
  Adaptation adaptation{};  // rank, alpha and the first seed
  Recipe recipe{};
  Measure measure{};
  std::size_t seeds = 1;
  std::size_t calibration_windows = 32;  // of the training text
  /// Learning rates times 1/3, 1, 3, and on where an end is the best, are tried with the first seed;
  /// the best on the development text serves all seeds.
  bool tunes_rates = false;
};

/// "gptq" is all its rows, "gptq-w3" one, "all" everything.
/// @throws Error for a name that is nobody's, with the names there are
std::vector<MethodRow> chosen_rows(const std::vector<PaperMethod>& methods,
                                   const std::vector<std::string>& names);

/// Everything that all runs of a table depend on, as text.
std::string methods_experiment(const LlamaWeights& weights, const Splits& splits,
                               const MethodsPlan& plan);

/// Makes, trains and measures each of `rows`; sorted by bits, then by perplexity. Runs that
/// `finished`, which may be null, holds are not done again; others go there. Nothing where `stop`
/// ended it.
std::optional<std::vector<MethodRow>> make_methods_table(
    const LlamaWeights& weights, const Splits& splits, const MethodsPlan& plan,
    std::vector<MethodRow> rows, FinishedRuns* finished, ProgressBar& progress,
    const std::atomic<bool>* stop);

// In methods_report.cpp.
std::string methods_text(const std::vector<MethodRow>& rows);
JsonObject methods_json(const std::vector<MethodRow>& rows);
LinePlot methods_plot(const std::vector<MethodRow>& rows, const std::string& title);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_METHODS_TABLE_HPP
