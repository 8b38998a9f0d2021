// SPDX-License-Identifier: MIT
// examples/lab/table.cpp: the rows of a table, and how they are written down.
#include "table.hpp"

#include "joined.hpp"
#include "memory.hpp"
#include "scheme_names.hpp"
#include "table_layout.hpp"

#include <cstdio>
#include <utility>

namespace lrqat::lab {

namespace {

std::string method_text(const Scheme& scheme) {
  switch (scheme.method) {
    case Method::fp32:
      return "as it is";
    case Method::fp32_tuned:
      return "trained, not quantized";
    case Method::rtn:
      return "round to nearest";
    case Method::peqa:
      return "PEQA: scales";
    case Method::full_qat:
      return "full QAT";
    default:
      break;
  }
  if (scheme.weight_domain) return "LoRA in the rounding";
  switch (scheme.base) {
    case Base::fixed_point:
      return "LR-QAT, fixed point";
    case Base::bf16:
      return "LR-QAT, bf16";
    case Base::fp32:
      return "LR-QAT, fp32";
    default:
      return "LR-QAT, packed";
  }
}

}  // namespace

std::vector<Scheme> usual_schemes(std::size_t group, std::size_t rank) {
  std::vector<Scheme> all{parse_scheme("fp32"), parse_scheme("fp32-tuned")};
  const auto add = [&](int bits, Sharing sharing) {
    Scheme scheme{.bits = bits, .sharing = sharing};
    if (sharing == Sharing::group) scheme.group_size = group;
    const auto with = [&](Method method, Base base, std::size_t of_rank) {
      scheme.method = method;
      scheme.base = base;
      scheme.rank = of_rank;
      all.push_back(scheme);
    };
    with(Method::rtn, Base::fixed_point, 0);
    with(Method::peqa, Base::fixed_point, 0);
    with(Method::lr_qat, Base::fixed_point, rank);
    with(Method::lr_qat, Base::bf16, rank);
    with(Method::lr_qat, Base::packed, rank);
    with(Method::full_qat, Base::fp32, 0);
  };
  for (const int bits : {4, 3, 2}) add(bits, Sharing::channel);
  for (const int bits : {4, 3}) add(bits, Sharing::group);
  return all;
}

std::vector<Scheme> activation_schemes(std::size_t rank) {
  std::vector<Scheme> all;
  for (const std::string bits : {"w4a8", "w4a8kv4", "w4a4"})
    for (const std::string& method : {std::string("rtn"), std::string("peqa"), joined("q4.4-r", rank)})
      all.push_back(parse_scheme(bits + "-pc-" + method));
  return all;
}

std::vector<TableRow> make_table(const LlamaWeights& weights, const Splits& splits,
                                 const TablePlan& plan, ProgressBar& progress,
                                 const std::function<void(const TableRow&, Model&)>& on_row) {
  std::vector<TableRow> rows;
  const std::size_t context = training_window_length(weights.config, plan.recipe);
  for (std::size_t i = 0; i < plan.schemes.size(); ++i) {
    const Scheme& scheme = plan.schemes[i];
    TableRow row{.scheme = scheme, .method = method_text(scheme)};
    row.bits_per_weight = bits_per_weight(weights.config, scheme);
    const std::size_t seeds = scheme.trains() ? plan.seeds : 1;
    for (std::size_t seed = 0; seed < seeds; ++seed) {
      Adaptation adaptation = plan.adaptation;
      adaptation.scheme = scheme;
      adaptation.seed += seed;
      progress.begin(joined("row ", i + 1, " of ", plan.schemes.size(), ", ", name_of(scheme),
                            seeds == 1 ? "" : joined(", seed ", adaptation.seed)));
      Model model = make_model(weights, adaptation, plan.recipe.recompute);
      if (scheme.trains()) {
        row.trained = trained_numbers(model);
        row.peak_bytes = linear_peak_bytes(model, plan.recipe.batch * context);
        const TrainResult result =
            train_model(model, adaptation, plan.recipe, splits.train, {}, progress, nullptr);
        row.seconds += result.seconds / static_cast<double>(seeds);
      }
      row.dev.push_back(measure(model, splits.dev, plan.measure, progress).perplexity);
      row.test.push_back(measure(model, splits.test, plan.measure, progress).perplexity);
      if (on_row && seed + 1 == seeds) on_row(row, model);
    }
    rows.push_back(std::move(row));
  }
  progress.finish();
  return rows;
}

std::string table_text(const std::vector<TableRow>& rows) {
  std::vector<std::vector<std::string>> cells{
      {"scheme", "method", "perplexity", "bits/weight", "trained", "linear MB", "seconds"}};
  for (const TableRow& row : rows)
    cells.push_back(
        {name_of(row.scheme), row.method, mean_text(row.test), fixed(row.bits_per_weight, 3),
         row.trained == 0 ? "-" : grouped_digits(row.trained),
         row.peak_bytes == 0 ? "-" : fixed(static_cast<double>(row.peak_bytes) / 1e6, 2),
         row.trained == 0 ? "-" : fixed(row.seconds, 1)});
  return markdown_table(cells, 2);
}

JsonObject table_json(const std::vector<TableRow>& rows) {
  JsonObject list = JsonObject::array();
  for (const TableRow& row : rows)
    list.push_back({{"scheme", name_of(row.scheme)},
                    {"method", row.method},
                    {"test_ppl", row.test},
                    {"dev_ppl", row.dev},
                    {"bits_per_weight", row.bits_per_weight},
                    {"trainable", row.trained},
                    {"linear_peak_bytes", row.peak_bytes},
                    {"train_seconds", row.seconds}});
  return JsonObject{{"rows", list}};
}

}  // namespace lrqat::lab
