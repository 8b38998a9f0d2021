// SPDX-License-Identifier: MIT
// examples/lab/methods_report.cpp: the table of methods as text, JSON and a plot.
#include "joined.hpp"
#include "methods_table.hpp"
#include "table_layout.hpp"

#include <algorithm>
#include <limits>

namespace lrqat::lab {

namespace {

template <class F>
std::vector<double> of_each_run(const MethodRow& row, F f) {
  std::vector<double> values;
  for (const MethodRun& run : row.runs) values.push_back(f(run));
  return values;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

const char* text_of(Deployed deployed) {
  switch (deployed) {
    case Deployed::codes:
      return "codes";
    case Deployed::codes_and_turned:
      return "codes, x turned";
    case Deployed::codes_and_sparse:
      return "codes + sparse";
    case Deployed::codes_and_branch:
      break;
  }
  return "codes + branch";
}

}  // namespace

std::string MethodRow::name() const { return joined(method->name, "-w", bits); }

std::vector<double> MethodRow::dev() const {
  return of_each_run(*this, [](const MethodRun& run) { return run.dev; });
}

std::vector<double> MethodRow::test() const {
  return of_each_run(*this, [](const MethodRun& run) { return run.test; });
}

double MethodRow::mean_test() const { return mean_of(test()); }

double MethodRow::mean_seconds() const {
  return mean_of(of_each_run(*this, [](const MethodRun& run) { return run.seconds; }));
}

std::string methods_text(const std::vector<MethodRow>& rows) {
  std::vector<std::vector<std::string>> cells{{"row", "source", "deployed", "perplexity",
                                               "bits/weight", "trained", "linear MB", "rates x",
                                               "seconds"}};
  for (const MethodRow& row : rows) {
    const MethodRun& first = row.runs.front();
    const bool is_trained = first.trained != 0;
    cells.push_back(
        {row.name(), row.method->source, text_of(row.method->deployed), mean_text(row.test()),
         fixed(row.bits_per_weight, 3), is_trained ? grouped_digits(first.trained) : "-",
         is_trained ? fixed(static_cast<double>(first.peak_bytes) / 1e6, 2) : "-",
         row.method->rates ? joined(first.rate_factor) : "-", fixed(row.mean_seconds(), 1)});
  }
  return markdown_table(cells, 3);
}

JsonObject methods_json(const std::vector<MethodRow>& rows) {
  JsonObject list = JsonObject::array();
  for (const MethodRow& row : rows)
    list.push_back({{"row", row.name()},
                    {"method", row.method->name},
                    {"bits", row.bits},
                    {"source", row.method->source},
                    {"deployed", text_of(row.method->deployed)},
                    {"test_ppl", row.test()},
                    {"dev_ppl", row.dev()},
                    {"bits_per_weight", row.bits_per_weight},
                    {"trainable", row.runs.front().trained},
                    {"linear_peak_bytes", row.runs.front().peak_bytes},
                    {"rate_factor", row.runs.front().rate_factor},
                    {"seconds", row.mean_seconds()}});
  return JsonObject{{"rows", list}};
}

LinePlot methods_plot(const std::vector<MethodRow>& rows, const std::string& title) {
  LinePlot plot{
      .title = title, .x_label = "bits per weight", .y_label = "perplexity", .log_y = true};
  for (const MethodRow& row : rows) {
    auto series = std::find_if(plot.series.begin(), plot.series.end(), [&](const PlotSeries& each) {
      return each.name == row.method->name;
    });
    if (series == plot.series.end()) {
      plot.series.push_back({.name = row.method->name});
      series = plot.series.end() - 1;
    }
    series->x.push_back(row.bits_per_weight);
    series->y.push_back(row.mean_test());
  }
  // Far above the best nothing is told apart, and the rest would be squeezed together.
  constexpr double shown = 8;
  double best = std::numeric_limits<double>::infinity();
  for (const MethodRow& row : rows) best = std::min(best, row.mean_test());
  plot.y_top = shown * best;
  const auto above = std::count_if(
      rows.begin(), rows.end(), [&](const MethodRow& row) { return row.mean_test() > plot.y_top; });
  if (above > 0) plot.y_label += joined(" (", above, " of ", rows.size(), " rows are above)");
  return plot;
}

}  // namespace lrqat::lab
