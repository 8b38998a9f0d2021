// SPDX-License-Identifier: MIT
// examples/lab/layers_w4.cpp: the quantized layers of 4 bits.
#include "quantized_layer.hpp"

namespace lrqat::lab {

template AnyLinear quantized_layer<4>(const Scheme&, const WeightSource&, const QuantOptions&);
template AnyLinear stored_layer<4>(const MergedWeight&);

}  // namespace lrqat::lab
