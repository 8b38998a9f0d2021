// SPDX-License-Identifier: MIT
// method/lqer.hpp: block floating point, and a branch that rebuilds its error.
#ifndef LRQAT_METHOD_LQER_HPP
#define LRQAT_METHOD_LQER_HPP

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/granularity/per_group.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/initializer/full_range.hpp>
#include <lrqat/initializer/round_to_grid.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/parallel.hpp>
#include <lrqat/scale_format/power_of_two_scale.hpp>
#include <lrqat/storage/packed.hpp>
#include <lrqat/trainable/trainable_set.hpp>

namespace lrqat::method {

/// LQER and L2QER (Zhang et al., arXiv 2402.02446): MXINT of `Bits` bits on blocks of 16 (see
/// PowerOfTwoScale for its two differences) and a branch in MXINT8. Nothing is trained. Factors
/// come from lqer() or l2qer() of initializer/eigen/lqer.hpp, which needs Eigen:
///
///   QuantOptions options{.alpha = 32};  // gain 1
///   Lqer<4, 32> layer(weight, options);
///   ... factors = l2qer(weight, layer's W_hat, magnitudes, 32);
///   set_mxint8_factors(layer, factors.a(), factors.b());
///
/// No merge(); dense() in float32. The paper's activations in MXINT8 are not an input quantizer
/// here.
template <int Bits, std::size_t Rank, class... Others>
using Lqer = QuantLinear<Int<Bits>, PerGroup<16>, Packed, LowRank<Rank>, Parallel, FullRange,
                         AdapterOnly, PowerOfTwoScale, Others...>;

/// Rounds A (out, r) and B (r, in) in place to MXINT8, blocks of 16 along the rank and along the
/// inputs as in the published configurations, and gives them to the layer's adapter.
/// @throws Error when a shape differs or a number is not finite
template <class Layer>
void set_mxint8_factors(Layer& layer, MatrixView<float> a, MatrixView<float> b) {
  round_to_grid<Int<8>, FullRange, PowerOfTwoScale>(a, 16);
  round_to_grid<Int<8>, FullRange, PowerOfTwoScale>(b, 16);
  layer.weight().adapter().set_factors(a, b);
}

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_LQER_HPP
