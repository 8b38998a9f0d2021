// SPDX-License-Identifier: MIT
// examples/lab/layers_w3.cpp: the quantized layers of 3 bits.
#include "quantized_layer.hpp"

namespace lrqat::lab {

template AnyLinear quantized_layer<3>(const Scheme&, const WeightSource&, const QuantOptions&);
template AnyLinear stored_layer<3>(const MergedWeight&);

}  // namespace lrqat::lab
