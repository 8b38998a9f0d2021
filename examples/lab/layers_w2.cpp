// SPDX-License-Identifier: MIT
// examples/lab/layers_w2.cpp: the quantized layers of 2 bits.
#include "quantized_layer.hpp"

namespace lrqat::lab {

template AnyLinear quantized_layer<2>(const Scheme&, const WeightSource&, const QuantOptions&);
template AnyLinear stored_layer<2>(const MergedWeight&);

}  // namespace lrqat::lab
