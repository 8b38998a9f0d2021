// SPDX-License-Identifier: MIT
// examples/lab/layer_factory.cpp: from a scheme to the layer of its bit width.
#include "layer_factory.hpp"

#include "scheme_names.hpp"

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/initializer/weight_rows.hpp>
#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/linear/quantized_input_linear.hpp>

namespace lrqat::lab {

template <int Bits>
AnyLinear quantized_layer(const Scheme&, const WeightSource&, const QuantOptions&);

template <int Bits>
AnyLinear stored_layer(const MergedWeight&);

AnyLinear layer_in_bf16(const Scheme&, const WeightSource&, const QuantOptions&);

AnyInput input_of(const Scheme& scheme, int bits) {
  return {bits, scheme.real_zero_points ? ZeroPointMode::real : ZeroPointMode::integer};
}

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

void check_compute(const Scheme& scheme, ComputeType compute) {
  const bool is_compiled = scheme.method == Method::lr_qat && scheme.bits == 4 &&
                           !scheme.zero_point && !scheme.weight_domain &&
                           (scheme.base == Base::fixed_point || scheme.base == Base::packed);
  expects(compute == ComputeType::fp32 || is_compiled,
          "--compute bf16 is there for 4-bit LR-QAT whose base is fixed point or packed, such as "
          "w4-pc-q4.4-r8 and w4-g32-int4-r8, not for scheme ",
          name_of(scheme));
}

AnyLinear make_layer(const Scheme& scheme, MatrixView<const float> weight, QuantOptions options,
                     ComputeType compute) {
  if (!scheme.is_float())
    return make_layer(scheme, WeightSource{weight.shape(), RowsOf{weight}}, options, compute);
  const bool trains = scheme.method == Method::fp32_tuned;
  return AnyLinear(DenseLinear<float>(weight, {trains ? Training::trained : Training::frozen, {}}));
}

AnyLinear make_layer(const Scheme& scheme, const WeightSource& weight, QuantOptions options,
                     ComputeType compute) {
  check_compute(scheme, compute);
  if (scheme.activation_bits != 0) {
    Scheme inside = scheme;
    inside.activation_bits = 0;
    return AnyLinear(QuantizedInputLinear(make_layer(inside, weight, options, compute),
                                          input_of(scheme, scheme.activation_bits)));
  }
  if (scheme.is_float()) {
    AlignedVector<float> values(weight.shape.size());
    const MatrixView<float> view(values.data(), weight.shape.rows, weight.shape.cols);
    parallel_for(view.rows, [&](std::size_t row) { weight.rows(row, view.row(row)); });
    return make_layer(scheme, MatrixView<const float>(view), options);
  }
  options.group_size = shared_columns(scheme, weight.shape.cols);
  if (scheme.rank != 0) options.rank = scheme.rank;
  if (compute == ComputeType::bf16) return layer_in_bf16(scheme, weight, options);
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

AnyLinear make_layer(const MergedWeight& stored) {
  switch (stored.bits) {
    case 2:
      return stored_layer<2>(stored);
    case 3:
      return stored_layer<3>(stored);
    case 4:
      return stored_layer<4>(stored);
    case 5:
      return stored_layer<5>(stored);
    case 6:
      return stored_layer<6>(stored);
    case 7:
      return stored_layer<7>(stored);
    case 8:
      return stored_layer<8>(stored);
    default:
      fail("a stored layer has codes of ", stored.bits, " bits; 2 to 8 are possible");
  }
}

}  // namespace lrqat::lab
