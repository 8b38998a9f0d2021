// SPDX-License-Identifier: MIT
// examples/lab/quantized_layer.hpp: all quantized layers of one bit width. Each width is compiled
// in a file of its own, so that they build side by side.
#ifndef LRQAT_LAB_QUANTIZED_LAYER_HPP
#define LRQAT_LAB_QUANTIZED_LAYER_HPP

#include "layer_factory.hpp"  // WeightSource

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/core/bf16.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/initializer/full_range.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/initializer/weight_rows.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/scale_format/any_scale.hpp>

#include <span>
#include <vector>

namespace lrqat::lab {

/// A granularity that is chosen at run time: options.group_size inputs of a row share a scale, all
/// of them when it is the length of the row, and the whole weight when it is 0.
struct AnySharing {
  using policy_kind = kind::granularity;
  static ScaleLayout layout(Shape weight, const QuantOptions& options) {
    if (options.group_size == 0) return {{1, 1}, weight.cols};
    const std::size_t size = options.group_size;
    return {{weight.rows, (weight.cols + size - 1) / size}, size};
  }
};

template <class G>
QParams qparams_of(RangeSetter range, std::span<const float> group) {
  switch (range) {
    case RangeSetter::min_max:
      return MinMax::choose<G>(group);
    case RangeSetter::full:
      return FullRange::choose<G>(group);
    case RangeSetter::l2:
      return LpSearch<2>::choose<G>(group);
    case RangeSetter::l2_4:
      return LpSearch<12, 5>::choose<G>(group);
    case RangeSetter::l3:
      return LpSearch<3>::choose<G>(group);
    case RangeSetter::l3_5:
      return LpSearch<7, 2>::choose<G>(group);
    case RangeSetter::l4:
      return LpSearch<4>::choose<G>(group);
    case RangeSetter::l5:
      break;
  }
  return LpSearch<5>::choose<G>(group);
}

/// The search for scales is made here and its result given to the layer, so that range setters do
/// not multiply the layers to compile.
template <class G>
class LayerMaker {
 public:
  LayerMaker(RangeSetter range, const WeightSource& weight, const QuantOptions& options)
      : weight_(weight),
        options_(options),
        qparams_(chosen_by_group(
            weight.shape, weight.rows, AnySharing::layout(weight.shape, options),
            [range](std::span<const float> group) { return qparams_of<G>(range, group); })) {}

  template <class... Policies>
  AnyLinear make() const {
    return AnyLinear(
        QuantLinear<G, AnySharing, AnyScale, Policies...>(weight_.shape, weight_.rows, qparams_,
                                                          options_));
  }

 private:
  const WeightSource& weight_;
  QuantOptions options_;
  std::vector<QParams> qparams_;
};

template <class G>
AnyLinear layer_on_grid(const Scheme& scheme, const WeightSource& weight,
                        const QuantOptions& options) {
  using Adapter = LowRank<dynamic>;
  const LayerMaker<G> layer(scheme.range, weight, options);
  if (scheme.method == Method::rtn) return layer.template make<Packed, ScaleOnly>().merge();
  if (scheme.method == Method::peqa) return layer.template make<Packed, ScaleOnly>();
  if (scheme.method == Method::full_qat) return layer.template make<FullRank, WeightDomain>();
  if (scheme.weight_domain) return layer.template make<Adapter, WeightDomain, Dense<float>>();
  switch (scheme.base) {
    case Base::fixed_point:
      return layer.template make<Adapter, FixedPoint>();
    case Base::bf16:
      return layer.template make<Adapter, Dense<bf16>>();
    case Base::fp32:
      return layer.template make<Adapter, Dense<float>>();
    case Base::packed:
      break;
  }
  return layer.template make<Adapter, Packed>();
}

/// The layer of a scheme with this many bits.
template <int Bits>
AnyLinear quantized_layer(const Scheme& scheme, const WeightSource& weight,
                          const QuantOptions& options) {
  return scheme.zero_point ? layer_on_grid<UInt<Bits>>(scheme, weight, options)
                           : layer_on_grid<Int<Bits>>(scheme, weight, options);
}

/// The merged layer that a file stores with this many bits.
template <int Bits>
AnyLinear stored_layer(const MergedWeight& weight) {
  if (weight.has_zero_point) return AnyLinear(merged_linear<MergedLinear<UInt<Bits>>>(weight));
  return AnyLinear(merged_linear<MergedLinear<Int<Bits>>>(weight));
}

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_QUANTIZED_LAYER_HPP
