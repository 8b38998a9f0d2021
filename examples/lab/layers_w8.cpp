// SPDX-License-Identifier: MIT
// examples/lab/layers_w8.cpp: the quantized layers of 8 bits.
#include "quantized_layer.hpp"

namespace lrqat::lab {

template AnyLinear quantized_layer<8>(const Scheme&, const WeightSource&, const QuantOptions&);
template AnyLinear stored_layer<8>(const MergedWeight&);

}  // namespace lrqat::lab
