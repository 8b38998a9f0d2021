// SPDX-License-Identifier: MIT
// examples/lab/integer_layer.hpp: merged layers whose products are those of codes.
#ifndef LRQAT_LAB_INTEGER_LAYER_HPP
#define LRQAT_LAB_INTEGER_LAYER_HPP

#include "model.hpp"
#include "scheme.hpp"

#include <lrqat/input/any_input.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/merged_weight.hpp>

namespace lrqat::lab {

/// Whether merged layers of the scheme can multiply codes by codes: inputs of 4 or 8 bits with
/// integer zero points, weights of 2, 3, 4 or 8 bits.
bool has_integer_products(const Scheme& scheme);

/// The layer with these codes in Compute<int8>, its inputs quantized as `input` says.
/// @throws Error where that is not compiled; see has_integer_products
AnyLinear integer_layer(const MergedWeight& weight, const AnyInput& input);

/// The merged model with layers of that kind: its numbers up to the order of float sums.
/// @pre has_integer_products(the model's scheme)
Model in_integers(const Model& model);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_INTEGER_LAYER_HPP
