// SPDX-License-Identifier: MIT
// examples/lab/layers_w5.cpp: the quantized layers of 5 bits.
#include "quantized_layer.hpp"

namespace lrqat::lab {

template AnyLinear quantized_layer<5>(const Scheme&, const WeightSource&, const QuantOptions&);
template AnyLinear stored_layer<5>(const MergedWeight&);

}  // namespace lrqat::lab
