// SPDX-License-Identifier: MIT
// method/double_rounding.hpp: one tensor of integers for several bit widths.
#ifndef LRQAT_METHOD_DOUBLE_ROUNDING_HPP
#define LRQAT_METHOD_DOUBLE_ROUNDING_HPP

#include <lrqat/adapter/full_rank.hpp>
#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/grid/nested.hpp>
#include <lrqat/linear/nested_linear.hpp>
#include <lrqat/placement/inside_rounding.hpp>
#include <lrqat/placement/weight_domain.hpp>

namespace lrqat::method {

/// Double Rounding (Huang et al., arXiv 2502.01199): W and one scale trained for all widths,
/// straight through both roundings. merge() gives the highest width's integers and at_bits<b>() any
/// other of them. The learning rates (ALRS) and the choice of widths (HASB) are in
/// optim/bit_switching.hpp. Deviation: activations, where quantized, are so alike at every width;
/// the paper gives each width its own.
template <class Widths, class... Others>
using DoubleRounding = NestedLinear<Widths, FullRank, WeightDomain, StraightThrough, Others...>;

/// LR-QAT on nested widths: W_h = clip(round(phi(W0/s0) + alpha/r A B)), rounded again for each
/// lower width. One base (at 8 bits its integers), one adapter and one scale serve all, and merge
/// into one tensor. Not from a paper.
template <class Widths, std::size_t Rank, class... Others>
using NestedLrQat = NestedLinear<Widths, LowRank<Rank>, InsideRounding, StraightThrough, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_DOUBLE_ROUNDING_HPP
