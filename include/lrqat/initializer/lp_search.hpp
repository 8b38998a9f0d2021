// SPDX-License-Identifier: MIT
// initializer/lp_search.hpp: the scale that rounds a group with the smallest Lp error.
#ifndef LRQAT_INITIALIZER_LP_SEARCH_HPP
#define LRQAT_INITIALIZER_LP_SEARCH_HPP

#include <lrqat/concept/initializer.hpp>
#include <lrqat/core/numeric.hpp>  // unfused_product
#include <lrqat/initializer/on_grid.hpp>
#include <lrqat/initializer/range.hpp>

#include <cmath>

namespace lrqat {

/// Tries the thresholds i / 100 of the group's range, i = 1 .. 100, and keeps the one with the
/// smallest sum |w - Q(w)|^P on the full grid, the first of equals (lr-qat, section 1.7; P = 4 in
/// the published W4 command). P = Numerator / Denominator: LpSearch<4>, LpSearch<12, 5> for 2.4.
template <int Numerator, int Denominator = 1>
struct LpSearch {
  static_assert(Numerator > 0 && Denominator > 0,
                "LpSearch<Numerator, Denominator>: the exponent is positive.");
  using policy_kind = kind::initializer;
  static constexpr int candidates = 100;

  template <Grid G>
  static QParams choose(std::span<const float> group) {
    const Range range = grid_range_of<G>(group);
    QParams best = qparams_of_range<G>(range, 1.0f);
    if (range.low == range.high) return best;
    double smallest = HUGE_VAL;
    for (int i = 1; i <= candidates; ++i) {
      const QParams tried = qparams_of_range<G>(range, static_cast<float>(i) / candidates);
      double loss = 0;
      for (const float weight : group) {
        const float level = level_on_grid<G>(weight, tried);
        const float rounded = weight_of_level<G>(tried.scale, level, tried.offset);
        loss += power(std::fabs(static_cast<double>(weight) - static_cast<double>(rounded)));
      }
      if (loss < smallest) {
        smallest = loss;
        best = tried;
      }
    }
    return best;
  }

 private:
  static double power(double error) {
    if constexpr (Denominator == 1) {
      double product = error;
      for (int i = 1; i < Numerator; ++i) product = unfused_product(product, error);
      return product;
    } else {
      return std::pow(error, static_cast<double>(Numerator) / Denominator);
    }
  }
};

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_LP_SEARCH_HPP
