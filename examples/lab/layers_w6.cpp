// SPDX-License-Identifier: MIT
// examples/lab/layers_w6.cpp: the quantized layers of 6 bits.
#include "quantized_layer.hpp"

namespace lrqat::lab {

template AnyLinear quantized_layer<6>(const Scheme&, const WeightSource&, const QuantOptions&);
template AnyLinear stored_layer<6>(const MergedWeight&);

}  // namespace lrqat::lab
