// SPDX-License-Identifier: MIT
// examples/lab/table.hpp: many schemes on one model and one text, side by side.
#ifndef LRQAT_LAB_TABLE_HPP
#define LRQAT_LAB_TABLE_HPP

#include "experiment.hpp"

#include <lrqat/io/json_line.hpp>  // JsonObject

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace lrqat::lab {

struct TableRow {
  Scheme scheme{};
  std::string method{};               // as papers call it
  std::vector<double> dev{}, test{};  // perplexity, for each seed
  double bits_per_weight = 0;
  std::size_t trained = 0;     // numbers
  std::size_t peak_bytes = 0;  // of the linear layers while training; 0 where nothing is trained
  double seconds = 0;          // of one training
};

/// What a table is made of.
struct TablePlan {
  std::vector<Scheme> schemes{};
  Adaptation adaptation{};  // its scheme is not read; its seed is the first of `seeds`
  Recipe recipe{};
  Measure measure{};
  std::size_t seeds = 1;
};

/// The usual rows: float, and RTN, PEQA, LR-QAT on three storages and full QAT for each of the
/// sharings, for which see the command's help. `group` inputs share a scale in the last ones.
std::vector<Scheme> usual_schemes(std::size_t group, std::size_t rank);

/// RTN, PEQA and LR-QAT per channel at W4A8, W4A8-KV4 and W4A4.
std::vector<Scheme> activation_schemes(std::size_t rank);

/// Trains and measures row after row. A scheme that does not train is measured once.
/// @param on_row  called with each finished row and the model of its last seed; may be empty
std::vector<TableRow> make_table(const LlamaWeights& weights, const Splits& splits,
                                 const TablePlan& plan, ProgressBar& progress,
                                 const std::function<void(const TableRow&, Model&)>& on_row = {});

std::string table_text(const std::vector<TableRow>& rows);
JsonObject table_json(const std::vector<TableRow>& rows);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_TABLE_HPP
