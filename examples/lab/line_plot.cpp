// SPDX-License-Identifier: MIT
// examples/lab/line_plot.cpp: a script for gnuplot, and its run.
#include "line_plot.hpp"

#include "joined.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/io/atomic_file.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <sstream>
#include <system_error>
#include <utility>

namespace lrqat::lab {

namespace {

/// In gnuplot's double quotes, where a backslash escapes and nothing is expanded but by it.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result + '"';
}

/// "x y" lines of a series, without what is not shown.
std::string points_of(const PlotSeries& series) {
  std::ostringstream points;
  for (std::size_t i = 0; i < series.x.size(); ++i)
    if (std::isfinite(series.x[i]) && std::isfinite(series.y[i]))
      points << series.x[i] << ' ' << series.y[i] << '\n';
  return points.str();
}

/// From just below the least value to the top, with labels that a decade has several of.
std::string logarithmic_y(const LinePlot& plot) {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (const PlotSeries& series : plot.series)
    for (const double y : series.y)
      if (std::isfinite(y) && y > 0) low = std::min(low, y), high = std::max(high, y);
  if (high == 0) return "set logscale y\n";
  if (plot.y_top > low) high = std::min(high, plot.y_top);
  low /= 1.04, high *= 1.04;
  std::ostringstream range;
  range << "set logscale y\nset yrange [" << low << ':' << high << "]\nset ytics (";
  const char* separator = "";
  for (double decade = std::pow(10, std::floor(std::log10(low))); decade <= high; decade *= 10)
    for (const double part : {1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0})
      if (part * decade >= low && part * decade <= high)
        range << std::exchange(separator, ", ") << part * decade;
  range << ")\n";
  return range.str();
}

std::string script_of(const LinePlot& plot, const std::string& terminal,
                      const std::filesystem::path& file) {
  constexpr const char* colours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                     "#7a5c00", "#56b4e9", "#000000", "#e69f00"};
  constexpr int marks[] = {7, 5, 9, 13, 11, 6, 4, 8};
  const auto mark_of = [&](const PlotSeries& series, std::size_t number) {
    return marks[series.mark.value_or(number / std::size(colours)) % std::size(marks)];
  };
  std::ostringstream data, curves;
  std::size_t drawn = 0;
  for (const PlotSeries& series : plot.series) {
    const std::string points = points_of(series);
    if (points.empty()) continue;
    data << "$series" << drawn << " << EOD\n" << points << "EOD\n";
    curves << (drawn == 0 ? "plot " : ", ") << "$series" << drawn << " with "
           << (!series.has_marks  ? "lines"
               : series.is_joined ? "linespoints"
                                  : "points")
           << " lw 1.5" << (series.has_marks ? joined(" ps 1 pt ", mark_of(series, drawn)) : "")
           << " lc rgb \"" << colours[series.colour.value_or(drawn) % std::size(colours)] << '"'
           << (series.name.empty() ? " notitle" : " title " + quoted(series.name));
    ++drawn;
  }
  expects(drawn > 0, "a plot needs a point with finite coordinates");
  return joined("set terminal ", terminal, "\nset output ", quoted(file.string()), "\nset title ",
                quoted(plot.title), "\nset xlabel ", quoted(plot.x_label), "\nset ylabel ",
                quoted(plot.y_label), "\nset key outside right top spacing 1.15 noenhanced\n",
                "set grid lc rgb \"#dddddd\"\nset offsets graph 0.02, graph 0.02, 0, 0\n",
                plot.log_y ? logarithmic_y(plot) : std::string(),
                plot.doubling_x ? "set logscale x 2\n" : "", data.str(), curves.str(), "\n");
}

}  // namespace

void draw(const LinePlot& plot, const std::filesystem::path& file) {
  const bool svg = file.extension() == ".svg";
  expects(svg || file.extension() == ".png", file.string(), ": a plot is an .svg or a .png file");
  const char* const terminal =
      svg ? "svg size 980,620 dynamic font \"sans,14\" background \"#ffffff\""
          : "pngcairo size 1470,930 font \"sans,13\"";
  const std::filesystem::path drawing = file.string() + ".drawing",
                              script = file.string() + ".script";
  write_file(script, script_of(plot, terminal, drawing));
  std::string quoted_script = "'";
  for (const char c : script.string())
    quoted_script += c == '\'' ? std::string("'\\''") : std::string(1, c);
  const int status = std::system(("gnuplot " + quoted_script + "'").c_str());
  std::error_code failed, ignored;
  if (status == 0) std::filesystem::rename(drawing, file, failed);
  for (const std::filesystem::path& left : {drawing, script})
    std::filesystem::remove(left, ignored);
  expects(status == 0 && !failed, file.string(),
          ": gnuplot did not draw it (it is Debian's package gnuplot-nox)");
}

}  // namespace lrqat::lab
