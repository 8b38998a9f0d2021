// SPDX-License-Identifier: MIT
// examples/lab/sweep_report.hpp: the law that a sweep follows, as text, as JSON and as pictures.
#ifndef LRQAT_LAB_SWEEP_REPORT_HPP
#define LRQAT_LAB_SWEEP_REPORT_HPP

#include "line_plot.hpp"
#include "sweep.hpp"

#include <lrqat/io/json_line.hpp>  // JsonObject
#include <lrqat/train/fit_scaling_law.hpp>

#include <optional>
#include <string>
#include <vector>

namespace lrqat::lab {

/// The points of a sweep, and the law of their test losses where they are enough for one.
class SweepReport {
 public:
  /// @param budget  nats that quantization may cost, for the advice
  SweepReport(std::vector<SweepPoint> points, double budget);

  std::string text() const;
  JsonObject json() const;
  /// Test loss by group size: a colour for each size, a mark for each token count, the law's lines.
  LinePlot loss_plot(const std::string& title) const;
  /// The same for what quantization adds.
  LinePlot error_plot(const std::string& title) const;

 private:
  /// Test loss above that of the unquantized twin.
  double measured_error(const SweepPoint& point) const;
  std::optional<double> advice(const SweepPoint& point) const;
  template <class Measured, class Predicted>
  void draw_groups(LinePlot& plot, std::size_t first_group, Measured&& measured,
                   Predicted&& predicted) const;

  std::vector<SweepPoint> points_;
  double budget_;
  std::optional<ScalingFit> fit_;
  std::string why_no_law_;
};

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_SWEEP_REPORT_HPP
