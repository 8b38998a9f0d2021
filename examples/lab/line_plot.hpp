// SPDX-License-Identifier: MIT
// examples/lab/line_plot.hpp: points of several series in one picture, drawn by gnuplot.
#ifndef LRQAT_LAB_LINE_PLOT_HPP
#define LRQAT_LAB_LINE_PLOT_HPP

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace lrqat::lab {

struct PlotSeries {
  std::string name;
  std::vector<double> x{}, y{};
  bool is_joined = true;  // a line through the points
  bool has_marks = true;  // the points themselves
  /// In place of the next ones; series with the same number look the same.
  std::optional<std::size_t> colour{}, mark{};
};

struct LinePlot {
  std::string title, x_label, y_label;
  bool log_y = false;
  bool doubling_x = false;  // x is logarithmic, its labels are powers of 2
  double y_top = 0;         // where not 0: lines to values above leave the picture there
  std::vector<PlotSeries> series{};
};

/// An .svg or .png file. Series have colours and marks of their own and a legend beside the
/// picture, which leaves out those without a name; values that are not finite are not drawn.
/// @throws Error for another kind of file, where there is no gnuplot, or what it says when it fails
void draw(const LinePlot& plot, const std::filesystem::path& file);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_LINE_PLOT_HPP
