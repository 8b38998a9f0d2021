// SPDX-License-Identifier: MIT
// initializer/input_statistics.hpp: what the inputs of a linear layer were like on some text.
#ifndef LRQAT_INITIALIZER_INPUT_STATISTICS_HPP
#define LRQAT_INITIALIZER_INPUT_STATISTICS_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/multiply.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace lrqat {

/// Whether sum x x^T is added up too: in * in doubles.
enum class GramMatrix { collected, left_out };

/// Statistics of the inputs x (tokens, in) of a linear layer: all that an initializer may ask for.
/// Bits do not depend on the number of threads.
class InputStatistics {
 public:
  InputStatistics() = default;
  explicit InputStatistics(std::size_t in, GramMatrix gram = GramMatrix::collected)
      : low_(in), high_(in), absolute_(in), gram_(gram == GramMatrix::collected ? in * in : 0) {}

  std::size_t tokens() const { return tokens_; }
  std::size_t in_features() const { return low_.size(); }
  std::span<const float> low() const { return low_; }    // (in) least value, 0 before any token
  std::span<const float> high() const { return high_; }  // (in) greatest value
  bool has_gram() const { return !gram_.empty(); }

  /// (in) largest |x|.
  std::vector<float> max_abs() const {
    std::vector<float> values(in_features());
    for (std::size_t j = 0; j < values.size(); ++j) values[j] = std::max(-low_[j], high_[j]);
    return values;
  }

  /// (in) mean |x| over tokens. Errors: no token yet.
  std::vector<double> mean_abs() const {
    expect_tokens("mean_abs");
    std::vector<double> values(in_features());
    for (std::size_t j = 0; j < values.size(); ++j)
      values[j] = absolute_[j] / static_cast<double>(tokens_);
    return values;
  }

  /// (in, in) sum over tokens of x x^T, symmetric to the bit. Errors: no token yet; left out.
  MatrixView<const double> gram() const {
    expect_tokens("gram");
    expects(has_gram(), "InputStatistics::gram: it was left out; collect it with "
                        "GramMatrix::collected");
    return {gram_.data(), in_features(), in_features()};
  }

  /// Adds the tokens of x (tokens, in). Products are summed in float over up to 256 tokens, then in
  /// double. Errors: another width; a number that is not finite, and then nothing is added.
  void add(MatrixView<const float> x) {
    expects(x.cols == in_features(), "InputStatistics: x is (", x.rows, ", ", x.cols,
            "), statistics are of ", in_features(), " inputs");
    parallel_for((x.rows + piece - 1) / piece, [&](std::size_t task) {
      for (std::size_t t = task * piece; t < std::min(x.rows, (task + 1) * piece); ++t)
        for (std::size_t j = 0; j < x.cols; ++j)
          expects(std::isfinite(x(t, j)), "InputStatistics: input ", j, " of token ",
                  tokens_ + t, " is ", x(t, j), "; a model that gives it cannot be calibrated");
    });
    add_extremes(x);
    if (has_gram()) add_products(x);
    tokens_ += x.rows;
  }

  /// The statistics of x / scale, as if they had been collected behind the fold of `scale` (in)
  /// into what makes x; each number is rounded once or twice. Errors: another width; a scale that is
  /// not positive and finite.
  InputStatistics divided_by(std::span<const float> scale) const {
    expects(scale.size() == in_features(), "InputStatistics::divided_by: ", scale.size(),
            " scales for ", in_features(), " inputs");
    for (std::size_t j = 0; j < scale.size(); ++j)
      expects(scale[j] > 0 && std::isfinite(scale[j]), "InputStatistics::divided_by: scale ", j,
              " is ", scale[j], ", it must be positive");
    InputStatistics divided = *this;
    for (std::size_t j = 0; j < scale.size(); ++j) {
      divided.low_[j] /= scale[j];
      divided.high_[j] /= scale[j];
      divided.absolute_[j] /= static_cast<double>(scale[j]);
    }
    if (has_gram())
      parallel_for(scale.size(), [&](std::size_t i) {
        for (std::size_t j = 0; j < scale.size(); ++j)
          divided.gram_[i * scale.size() + j] /=
              static_cast<double>(scale[i]) * static_cast<double>(scale[j]);
      });
    return divided;
  }

 private:
  static constexpr std::size_t piece = 64, chunk = 256, side = 128;

  void expect_tokens(const char* what) const {
    expects(tokens_ > 0, "InputStatistics::", what, ": no token was seen yet; calibrate first");
  }

  void add_extremes(MatrixView<const float> x) {
    parallel_for((x.cols + piece - 1) / piece, [&](std::size_t task) {
      const std::size_t first = task * piece, last = std::min(x.cols, first + piece);
      for (std::size_t t = 0; t < x.rows; ++t)
        for (std::size_t j = first; j < last; ++j) {
          const float value = x(t, j);
          const bool is_first = tokens_ + t == 0;
          low_[j] = is_first ? value : std::min(low_[j], value);
          high_[j] = is_first ? value : std::max(high_[j], value);
          absolute_[j] += std::fabs(static_cast<double>(value));
        }
    });
  }

  void add_products(MatrixView<const float> x) {
    const std::size_t in = x.cols, across = (in + side - 1) / side;
    parallel_for(across * across, [&](std::size_t task) {
      const std::size_t row = task / across * side, col = task % across * side;
      if (col < row) return;  // the mirror image of another task's tile
      const std::size_t rows = std::min(side, in - row), cols = std::min(side, in - col);
      const MatrixView<float> sums = scratch<struct gram_tile_slot>(rows, cols);
      for (std::size_t t = 0; t < x.rows; t += chunk) {
        const std::size_t count = std::min(chunk, x.rows - t);
        kernel::multiply_into(kernel::left_transposed(x.block(t, row, count, rows)),
                              x.block(t, col, count, cols), sums);
        for (std::size_t i = 0; i < rows; ++i)
          for (std::size_t j = 0; j < cols; ++j)
            gram_[(row + i) * in + col + j] += static_cast<double>(sums(i, j));
      }
      if (row == col) return;
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t j = 0; j < cols; ++j)
          gram_[(col + j) * in + row + i] = gram_[(row + i) * in + col + j];
    });
  }

  std::size_t tokens_ = 0;
  std::vector<float> low_, high_;  // (in)
  std::vector<double> absolute_;   // (in) sum |x|
  AlignedVector<double> gram_;     // (in, in) or empty
};

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_INPUT_STATISTICS_HPP
