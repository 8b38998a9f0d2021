// SPDX-License-Identifier: MIT
// examples/lab/integer_layer.cpp: Compute<int8> on the grids that its kernels are made for.
#include "integer_layer.hpp"

#include <lrqat/compute/compute.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/input/input.hpp>
#include <lrqat/linear/merged_linear.hpp>
#include <lrqat/linear/quantized_input_linear.hpp>

#include <initializer_list>

namespace lrqat::lab {

namespace {

template <class G>
AnyLinear layer_on(const MergedWeight& weight, int input_bits) {
  auto merged = merged_linear<MergedLinear<G>>(weight);
  if (input_bits == 4)
    return AnyLinear(
        std::move(merged)
            .template in<Compute<int8>, Input<UInt<4>, PerToken, IntegerZeroPoint>>());
  return AnyLinear(
      std::move(merged).template in<Compute<int8>, Input<UInt<8>, PerToken, IntegerZeroPoint>>());
}

template <int Bits>
AnyLinear layer_of(const MergedWeight& weight, int input_bits) {
  return weight.has_zero_point ? layer_on<UInt<Bits>>(weight, input_bits)
                               : layer_on<Int<Bits>>(weight, input_bits);
}

bool is_one_of(int bits, std::initializer_list<int> those) {
  for (const int each : those)
    if (bits == each) return true;
  return false;
}

}  // namespace

bool has_integer_products(const Scheme& scheme) {
  return is_one_of(scheme.activation_bits, {4, 8}) && !scheme.real_zero_points &&
         is_one_of(scheme.bits, {2, 3, 4, 8});
}

AnyLinear integer_layer(const MergedWeight& weight, const AnyInput& input) {
  expects(is_one_of(input.bits, {4, 8}) && input.zero_point == ZeroPointMode::integer,
          "integer products take inputs of 4 or 8 bits with integer zero points, not of ",
          input.bits, " bits", input.zero_point == ZeroPointMode::real ? " with real ones" : "");
  switch (weight.bits) {
    case 2:
      return layer_of<2>(weight, input.bits);
    case 3:
      return layer_of<3>(weight, input.bits);
    case 4:
      return layer_of<4>(weight, input.bits);
    case 8:
      return layer_of<8>(weight, input.bits);
    default:
      fail("integer products are compiled for weights of 2, 3, 4 and 8 bits, not of ", weight.bits);
  }
}

Model in_integers(const Model& model) {
  const auto change = [](const AnyLinear& layer, const LinearName& which) {
    const auto* const quantized = layer.get_if<QuantizedInputLinear>();
    expects(quantized != nullptr, which.text(), ": its inputs are not quantized, so its products ",
            "are none of integers");
    return integer_layer(quantized->layer().merged_weight(), quantized->input());
  };
  return model.convert<AnyLinear>(change, LlamaOptions{.activations = model.options().activations});
}

}  // namespace lrqat::lab
