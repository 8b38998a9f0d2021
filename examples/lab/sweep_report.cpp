// SPDX-License-Identifier: MIT
// examples/lab/sweep_report.cpp: tables, JSON and plots of a sweep.
#include "sweep_report.hpp"

#include "joined.hpp"
#include "table_layout.hpp"

#include <lrqat/core/expects.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace lrqat::lab {

namespace {

std::string significant(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

/// A relative error; without a sign where it is 0 in these digits.
std::string percent(double value) {
  return fixed(std::abs(value) < 5e-5 ? 0 : 100 * value, 2) + " %";
}

std::string group_text(const SweepPoint& point) {
  return point.group_size == 1 ? "-" : std::to_string(point.group_size);
}

template <class T, class F>
std::vector<T> different(const std::vector<SweepPoint>& points, F&& of_point) {
  std::vector<T> all;
  for (const SweepPoint& point : points)
    if (std::find(all.begin(), all.end(), of_point(point)) == all.end())
      all.push_back(of_point(point));
  return all;
}

std::vector<SweepSize> sizes_of(const std::vector<SweepPoint>& points) {
  return different<SweepSize>(points, [](const SweepPoint& point) { return point.size; });
}

std::vector<std::uint64_t> token_counts_of(const std::vector<SweepPoint>& points) {
  return different<std::uint64_t>(points, [](const SweepPoint& point) { return point.tokens; });
}

struct NamedConstant {
  const char* name;
  double ScalingLaw::*value;
};

constexpr NamedConstant law_constants[] = {{"A", &ScalingLaw::a},
                                           {"alpha", &ScalingLaw::alpha},
                                           {"B", &ScalingLaw::b},
                                           {"beta", &ScalingLaw::beta},
                                           {"E", &ScalingLaw::e},
                                           {"k", &ScalingLaw::k},
                                           {"gamma_N", &ScalingLaw::gamma_n},
                                           {"gamma_D", &ScalingLaw::gamma_d},
                                           {"gamma_G", &ScalingLaw::gamma_g}};

}  // namespace

SweepReport::SweepReport(std::vector<SweepPoint> points, double budget)
    : points_(std::move(points)), budget_(budget) {
  std::vector<ScalingRun> runs;
  for (const SweepPoint& point : points_)
    runs.push_back({static_cast<double>(point.parameters), static_cast<double>(point.tokens),
                    static_cast<double>(point.group_size), point.test_loss});
  try {
    // Losses of models this small scatter by about 1 % with the seed; the width of large runs would
    // let the law pass through five of them and leave the others alone.
    fit_ = fit_scaling_law(runs, {.huber_width = 1e-2});
  } catch (const Error& error) {
    why_no_law_ = error.what();
  }
}

double SweepReport::measured_error(const SweepPoint& point) const {
  for (const SweepPoint& twin : points_)
    if (twin.size == point.size && twin.tokens == point.tokens && twin.group_size == 1)
      return point.test_loss - twin.test_loss;
  return std::nan("");
}

std::optional<double> SweepReport::advice(const SweepPoint& point) const {
  std::vector<double> candidates = different<double>(
      points_, [](const SweepPoint& each) { return static_cast<double>(each.group_size); });
  std::erase(candidates, 1.0);  // no group
  return coarsest_group_size(fit_->law, static_cast<double>(point.parameters),
                             static_cast<double>(point.tokens), budget_, candidates);
}

std::string SweepReport::text() const {
  std::vector<std::vector<std::string>> cells{{"size", "N", "tokens D", "group G", "dev loss",
                                               "test loss", "law", "off by", "delta", "law's delta",
                                               "eff"}};
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const SweepPoint& point = points_[i];
    const bool is_float = point.group_size == 1;
    std::vector<std::string> row{point.size.name(),
                                 grouped_digits(point.parameters),
                                 grouped_digits(point.tokens),
                                 group_text(point),
                                 fixed(point.dev_loss, 4),
                                 fixed(point.test_loss, 4),
                                 "-",
                                 "-",
                                 is_float ? "-" : fixed(measured_error(point), 4),
                                 "-",
                                 "-"};
    if (fit_) {
      const double n = static_cast<double>(point.parameters), d = static_cast<double>(point.tokens),
                   g = static_cast<double>(point.group_size);
      row[6] = fixed(fit_->law.loss(n, d, g), 4);
      row[7] = percent(fit_->residuals[i]);
      if (!is_float) row[9] = fixed(fit_->law.quantization_error(n, d, g), 4);
      if (!is_float) row[10] = fixed(fit_->law.effective_parameter_multiplier(n, d, g), 3);
    }
    cells.push_back(std::move(row));
  }
  std::string text = markdown_table(cells, 1);
  if (!fit_) return joined(text, "\nNo law: ", why_no_law_, ".\n");

  text += joined("\nL(N, D, G) = A / N^alpha + B / D^beta + E + k D^gamma_D (log2 G)^gamma_G / ",
                 "N^gamma_N\nIt is off by ", percent(fit_->mean_error), " on average, by ",
                 percent(fit_->max_error), " at most.\n\n");
  cells = {{}, {}};
  for (const NamedConstant& constant : law_constants) {
    cells[0].push_back(constant.name);
    cells[1].push_back(significant(fit_->law.*constant.value));
  }
  text += markdown_table(cells, 0);

  text += joined("\nThe coarsest of these groups whose delta is at most ", significant(budget_),
                 " nats by the law (--budget):\n\n");
  cells = {{"size"}};
  for (const std::uint64_t tokens : token_counts_of(points_))
    cells[0].push_back(grouped_digits(tokens) + " tokens");
  for (const SweepSize& size : sizes_of(points_)) {
    cells.push_back({size.name()});
    for (const SweepPoint& point : points_)
      if (point.size == size && point.group_size == 1) {
        const std::optional<double> coarsest = advice(point);
        cells.back().push_back(coarsest ? significant(*coarsest) : "none");
      }
  }
  return text + markdown_table(cells, 1);
}

JsonObject SweepReport::json() const {
  JsonObject list = JsonObject::array();
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const SweepPoint& point = points_[i];
    JsonObject object = json_of_point(point);
    object["law_residual"] = nullptr;
    object["coarsest_group"] = nullptr;
    if (fit_) {
      object["law_residual"] = fit_->residuals[i];
      if (const std::optional<double> coarsest = advice(point))
        object["coarsest_group"] = *coarsest;
    }
    list.push_back(std::move(object));
  }
  JsonObject result{{"points", list}, {"law", nullptr}, {"budget", budget_}};
  if (!fit_) {
    result["why_no_law"] = why_no_law_;
    return result;
  }
  result["law"] = JsonObject::object();
  for (const NamedConstant& constant : law_constants)
    result["law"][constant.name] = fit_->law.*constant.value;
  result["mean_error"] = fit_->mean_error;
  result["max_error"] = fit_->max_error;
  return result;
}

template <class Measured, class Predicted>
void SweepReport::draw_groups(LinePlot& plot, std::size_t first_group, Measured&& measured,
                              Predicted&& predicted) const {
  const std::vector<SweepSize> sizes = sizes_of(points_);
  const std::vector<std::uint64_t> token_counts = token_counts_of(points_);
  std::size_t last_group = first_group;
  for (const SweepPoint& point : points_) last_group = std::max(last_group, point.group_size);
  for (std::size_t s = 0; s < sizes.size(); ++s)
    for (std::size_t t = 0; t < token_counts.size(); ++t) {
      PlotSeries marks{
          .name = joined(sizes[s].name(), ", ", grouped_digits(token_counts[t]), " tokens"),
          .is_joined = !fit_,
          .colour = s,
          .mark = t};
      PlotSeries line{.name = "", .has_marks = false, .colour = s};
      for (const SweepPoint& point : points_) {
        if (point.size != sizes[s] || point.tokens != token_counts[t]) continue;
        if (point.group_size < first_group) continue;
        marks.x.push_back(static_cast<double>(point.group_size));
        marks.y.push_back(measured(point));
        if (!fit_ || !line.x.empty()) continue;
        const double low = std::log2(first_group), high = std::log2(last_group);
        for (int i = 0; i <= 64; ++i) {
          line.x.push_back(std::exp2(low + (high - low) * i / 64));
          line.y.push_back(predicted(static_cast<double>(point.parameters),
                                     static_cast<double>(point.tokens), line.x.back()));
        }
      }
      plot.series.push_back(std::move(marks));
      plot.series.push_back(std::move(line));
    }
}

LinePlot SweepReport::loss_plot(const std::string& title) const {
  LinePlot plot{.title = fit_ ? title + "; lines: the law" : title,
                .x_label = "group size (1: not quantized)",
                .y_label = "test loss, nats for a token",
                .doubling_x = true};
  draw_groups(
      plot, 1, [](const SweepPoint& point) { return point.test_loss; },
      [&](double n, double d, double g) { return fit_->law.loss(n, d, g); });
  return plot;
}

LinePlot SweepReport::error_plot(const std::string& title) const {
  LinePlot plot{.title = fit_ ? title + "; lines: the law" : title,
                .x_label = "group size",
                .y_label = "test loss above the unquantized run's, nats for a token",
                .doubling_x = true};
  std::size_t finest = 0;
  for (const SweepPoint& point : points_)
    if (point.group_size > 1 && (finest == 0 || point.group_size < finest))
      finest = point.group_size;
  draw_groups(
      plot, finest, [&](const SweepPoint& point) { return measured_error(point); },
      [&](double n, double d, double g) { return fit_->law.quantization_error(n, d, g); });
  return plot;
}

}  // namespace lrqat::lab
