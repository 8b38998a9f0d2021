// SPDX-License-Identifier: MIT
// examples/lab/methods/rounding.cpp: round to nearest, with every way to choose a range.
#include "method.hpp"

#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/initializer/full_range.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/linear/quant_linear.hpp>

namespace lrqat::lab {

namespace {

template <class Initializer>
PaperMethod rounded(std::string name, std::string source) {
  PaperMethod method{.name = std::move(name), .source = std::move(source), .bits = {4, 3, 2}};
  method.size = codes_per_channel();
  method.layer = [](const LayerJob& job) {
    return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
      return AnyLinear(QuantLinear<Int<bits>, Packed, ScaleOnly, Initializer>(job.weight).merge());
    });
  };
  return method;
}

}  // namespace

void add_rounding_methods(std::vector<PaperMethod>& all) {
  all.push_back(rounded<MinMax>("rtn-minmax", "round to nearest, largest weight on p"));
  all.push_back(rounded<FullRange>("rtn-full", "round to nearest, largest weight on -n"));
  all.push_back(rounded<LpSearch<2>>("rtn", "round to nearest, least squared error"));
  all.push_back(rounded<LpSearch<12, 5>>("rtn-l2.4", "round to nearest, exponent 2.4"));
  all.push_back(rounded<LpSearch<4>>("rtn-l4", "round to nearest, exponent 4"));
  PaperMethod asymmetric{
      .name = "rtn-asym", .source = "round to nearest, zero points", .bits = {4, 3, 2}};
  asymmetric.size = codes_and_zero_points;
  asymmetric.layer = [](const LayerJob& job) {
    return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
      return AnyLinear(QuantLinear<UInt<bits>, Packed, ScaleOnly, MinMax>(job.weight).merge());
    });
  };
  all.push_back(std::move(asymmetric));
}

}  // namespace lrqat::lab
