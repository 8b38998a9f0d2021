// SPDX-License-Identifier: MIT
// examples/lab/methods_table.hpp: every method of the field on one model and one text.
#ifndef LRQAT_LAB_METHODS_TABLE_HPP
#define LRQAT_LAB_METHODS_TABLE_HPP

#include "experiment.hpp"
#include "line_plot.hpp"
#include "methods/method.hpp"
#include "progress.hpp"
#include "text.hpp"

#include <lrqat/io/json_line.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace lrqat::lab {

struct MethodRow {
  const PaperMethod* method = nullptr;
  int bits = 0;
  std::vector<double> dev{}, test{};  // perplexity, for each seed
  double bits_per_weight = 0;
  std::size_t trained = 0, peak_bytes = 0;  // as of TableRow
  double seconds = 0;                       // of making it, calibration included, and one training

  std::string name() const;  // "gptq-w3"
};

struct MethodsPlan {
  Adaptation adaptation{};  // rank, alpha and the first seed
  Recipe recipe{};
  Measure measure{};
  std::size_t seeds = 1;
  std::size_t calibration_windows = 32;  // of the training text
};

/// "gptq" is all its rows, "gptq-w3" one, "all" everything.
/// @throws Error for a name that is nobody's, with the names there are
std::vector<MethodRow> chosen_rows(const std::vector<PaperMethod>& methods,
                                   const std::vector<std::string>& names);

/// Makes, trains and measures each of `rows`; sorted by bits, then by perplexity.
std::vector<MethodRow> make_methods_table(const LlamaWeights& weights, const Splits& splits,
                                          const MethodsPlan& plan, std::vector<MethodRow> rows,
                                          ProgressBar& progress);

std::string methods_text(const std::vector<MethodRow>& rows);
JsonObject methods_json(const std::vector<MethodRow>& rows);
LinePlot methods_plot(const std::vector<MethodRow>& rows, const std::string& title);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_METHODS_TABLE_HPP
