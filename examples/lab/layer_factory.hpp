// SPDX-License-Identifier: MIT
// examples/lab/layer_factory.hpp: the linear layer of a scheme that is chosen at run time.
#ifndef LRQAT_LAB_LAYER_FACTORY_HPP
#define LRQAT_LAB_LAYER_FACTORY_HPP

#include "scheme.hpp"

#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/quant_options.hpp>
#include <lrqat/input/any_input.hpp>
#include <lrqat/linear/any_linear.hpp>

#include <cstddef>
#include <functional>
#include <span>

namespace lrqat::lab {

/// A weight (out, in) as its layer asks for it; rows are WeightRows.
struct WeightSource {
  Shape shape;
  std::function<void(std::size_t row, std::span<float> values)> rows;
};

/// The layer that `scheme` makes of a weight (out, in). options: alpha, seed, stream, and the rank
/// where the scheme names none; its group_size is set here.
/// @throws Error where the scheme does not fit the weight
AnyLinear make_layer(const Scheme& scheme, MatrixView<const float> weight, QuantOptions options,
                     ComputeType compute = ComputeType::fp32);
/// The same without the weight as a whole; a float scheme keeps it all the same.
AnyLinear make_layer(const Scheme& scheme, const WeightSource& weight, QuantOptions options,
                     ComputeType compute = ComputeType::fp32);

/// The layer that a file stores, on the grids of signed and unsigned integers.
AnyLinear make_layer(const MergedWeight& stored);

/// The scheme's quantizer of activations with so many bits.
AnyInput input_of(const Scheme& scheme, int bits);

/// @throws Error where a scheme's layers are not compiled for products in `compute`
void check_compute(const Scheme& scheme, ComputeType compute);

/// One scale for how many inputs of a row of `in`; 0: one for the whole weight.
std::size_t shared_columns(const Scheme& scheme, std::size_t in);

/// Scales of a weight (out, in) under the scheme; 0 where it has none.
std::size_t scale_count(const Scheme& scheme, Shape weight);

/// Its storage after merging: codes, and for each scale 16 bits (and b for a zero point).
std::size_t merged_bits(const Scheme& scheme, Shape weight);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_LAYER_FACTORY_HPP
