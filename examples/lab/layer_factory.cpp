// SPDX-License-Identifier: MIT
// examples/lab/layer_factory.cpp: from a scheme to the layer of its bit width.
#include "layer_factory.hpp"

#include "scheme_names.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/linear/dense_linear.hpp>

namespace lrqat::lab {

template <int Bits>
AnyLinear quantized_layer(const Scheme&, MatrixView<const float>, const QuantOptions&);

std::size_t shared_columns(const Scheme& scheme, std::size_t in) {
  if (scheme.sharing == Sharing::tensor) return 0;
  if (scheme.sharing == Sharing::channel) return in;
  if (scheme.channel_where_odd && in % scheme.group_size != 0) return in;
  expects(scheme.group_size <= in, "scheme ", name_of(scheme), ": groups of ", scheme.group_size,
          " inputs do not fit a layer with ", in, "; use pc or a smaller group");
  return scheme.group_size;
}

std::size_t scale_count(const Scheme& scheme, Shape weight) {
  if (scheme.is_float()) return 0;
  const std::size_t columns = shared_columns(scheme, weight.cols);
  return columns == 0 ? 1 : weight.rows * ((weight.cols + columns - 1) / columns);
}

std::size_t merged_bits(const Scheme& scheme, Shape weight) {
  if (scheme.is_float()) return 32 * weight.size();
  const auto bits = static_cast<std::size_t>(scheme.bits);
  return bits * weight.size() + scale_count(scheme, weight) * (scheme.zero_point ? 16 + bits : 16);
}

AnyLinear make_layer(const Scheme& scheme, MatrixView<const float> weight, QuantOptions options) {
  if (scheme.is_float()) {
    const bool trains = scheme.method == Method::fp32_tuned;
    return AnyLinear(
        DenseLinear<float>(weight, {trains ? Training::trained : Training::frozen, {}}));
  }
  options.group_size = shared_columns(scheme, weight.cols);
  if (scheme.rank != 0) options.rank = scheme.rank;
  switch (scheme.bits) {
    case 2:
      return quantized_layer<2>(scheme, weight, options);
    case 3:
      return quantized_layer<3>(scheme, weight, options);
    case 4:
      return quantized_layer<4>(scheme, weight, options);
    case 5:
      return quantized_layer<5>(scheme, weight, options);
    case 6:
      return quantized_layer<6>(scheme, weight, options);
    case 7:
      return quantized_layer<7>(scheme, weight, options);
    default:
      return quantized_layer<8>(scheme, weight, options);
  }
}

}  // namespace lrqat::lab
