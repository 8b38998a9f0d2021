// SPDX-License-Identifier: MIT
// examples/lab/table_layout.hpp: a Markdown table that also reads well in a terminal.
#ifndef LRQAT_LAB_TABLE_LAYOUT_HPP
#define LRQAT_LAB_TABLE_LAYOUT_HPP

#include "joined.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

namespace lrqat::lab {

/// Rows of cells of equal number, the first row being the head; the first `left` columns are
/// aligned to the left, the others to the right. Cells are ASCII.
inline std::string markdown_table(const std::vector<std::vector<std::string>>& rows,
                                  std::size_t left) {
  if (rows.empty()) return {};
  std::vector<std::size_t> widths(rows[0].size(), 3);
  for (const std::vector<std::string>& row : rows)
    for (std::size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], row[column].size());
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t column = 0; column < rows[i].size(); ++column) {
      const std::string pad(widths[column] - rows[i][column].size(), ' ');
      const std::string& cell = rows[i][column];
      text += column < left ? joined("| ", cell, pad, ' ') : joined("| ", pad, cell, ' ');
    }
    text += "|\n";
    if (i != 0) continue;
    for (std::size_t column = 0; column < widths.size(); ++column)
      text += joined('|', std::string(widths[column] + 1, '-'), column < left ? '-' : ':');
    text += "|\n";
  }
  return text;
}

/// Text broken at spaces into lines of at most `width` bytes; longer words are cut.
inline std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  const auto end_line = [&] {
    lines.push_back(line);
    line.clear();
  };
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '\n') {
      end_line();
      ++at;
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    std::string word = text.substr(at, end - at);
    at = end < text.size() && text[end] == ' ' ? end + 1 : end;
    if (!line.empty() && line.size() + 1 + word.size() > width) end_line();
    for (; word.size() > width; word.erase(0, width)) lines.push_back(word.substr(0, width));
    line += joined(line.empty() ? "" : " ", word);
  }
  if (!line.empty()) end_line();
  return lines;
}

/// Mean and, of two or more values, standard deviation: "4.006 +- 0.003". Values of 100 and more
/// have fewer decimals.
inline std::string mean_text(std::span<const double> values) {
  if (values.empty()) return "-";
  double mean = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const int decimals = mean < 100 ? 3 : mean < 1000 ? 1 : 0;
  char text[64];
  if (values.size() < 2)
    std::snprintf(text, sizeof text, "%.*f", decimals, mean);
  else
    std::snprintf(text, sizeof text, "%.*f +- %.*f", decimals, mean, decimals,
                  std::sqrt(squares / static_cast<double>(values.size() - 1)));
  return text;
}

/// 3.14159 with two decimals -> "3.14".
inline std::string fixed(double value, int decimals) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

/// 49240 -> "49,240".
inline std::string grouped_digits(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t from_end = 3; from_end < digits.size(); from_end += 4)
    digits.insert(digits.size() - from_end, 1, ',');
  return digits;
}

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_TABLE_LAYOUT_HPP
