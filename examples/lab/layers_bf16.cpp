// SPDX-License-Identifier: MIT
// examples/lab/layers_bf16.cpp: the layers whose large products run in bfloat16. Few, because each
// is compiled.
#include "quantized_layer.hpp"

#include <lrqat/compute/compute.hpp>

namespace lrqat::lab {

/// @pre check_compute(scheme, ComputeType::bf16)
AnyLinear layer_in_bf16(const Scheme& scheme, const WeightSource& weight,
                        const QuantOptions& options) {
  const LayerMaker<Int<4>> layer(scheme.range, weight, options);
  if (scheme.base == Base::packed)
    return layer.template make<LowRank<dynamic>, Packed, Compute<bf16>>();
  return layer.template make<LowRank<dynamic>, FixedPoint, Compute<bf16>>();
}

}  // namespace lrqat::lab
