// SPDX-License-Identifier: MIT
// examples/lab/layers_w7.cpp: the quantized layers of 7 bits.
#include "quantized_layer.hpp"

namespace lrqat::lab {

template AnyLinear quantized_layer<7>(const Scheme&, const WeightSource&, const QuantOptions&);
template AnyLinear stored_layer<7>(const MergedWeight&);

}  // namespace lrqat::lab
