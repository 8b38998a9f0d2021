// SPDX-License-Identifier: MIT
// lrqat.hpp: the whole of the quantized linear layer in one include: policies, QuantLinear,
// MergedLinear, the named methods. Models, training and files have their own headers (nn/,
// optim/, train/, io/), and so have the initializers that ask for statistics of the inputs
// (initializer/); doors to other libraries are in interop/, initializer/eigen/ and
// backend/onednn.hpp.
#ifndef LRQAT_LRQAT_HPP
#define LRQAT_LRQAT_HPP

#include <lrqat/adapter/full_rank.hpp>
#include <lrqat/adapter/full_rank_delta.hpp>
#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/adapter/no_adapter.hpp>
#include <lrqat/adapter/sparse_hadamard.hpp>
#include <lrqat/backend/cpu.hpp>
#include <lrqat/backend/reference.hpp>
#include <lrqat/compute/compute.hpp>
#include <lrqat/core/config.hpp>
#include <lrqat/estimator/lsq.hpp>
#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/estimator/trust.hpp>
#include <lrqat/granularity/per_channel.hpp>
#include <lrqat/granularity/per_group.hpp>
#include <lrqat/granularity/per_tensor.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/mid_rise.hpp>
#include <lrqat/grid/nested.hpp>
#include <lrqat/grid/offset.hpp>
#include <lrqat/grid/symmetric_int.hpp>
#include <lrqat/grid/ternary.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/grid/unrounded.hpp>
#include <lrqat/initializer/gaussian_rms.hpp>
#include <lrqat/initializer/lp_search.hpp>
#include <lrqat/initializer/mean_magnitude.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/initializer/no_clip.hpp>
#include <lrqat/input/any_input.hpp>
#include <lrqat/input/dynamic_input.hpp>
#include <lrqat/input/input.hpp>
#include <lrqat/input/no_input.hpp>
#include <lrqat/input/transformed_input.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/finalise.hpp>
#include <lrqat/linear/merged_linear.hpp>
#include <lrqat/linear/nested_linear.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/linear/quantized_input_linear.hpp>
#include <lrqat/linear/rounding_penalty.hpp>
#include <lrqat/method/ada_round.hpp>
#include <lrqat/method/double_rounding.hpp>
#include <lrqat/method/efficient_dm.hpp>
#include <lrqat/method/efficient_qat.hpp>
#include <lrqat/method/l4q.hpp>
#include <lrqat/method/llm_qat.hpp>
#include <lrqat/method/lr_qat.hpp>
#include <lrqat/method/lsq.hpp>
#include <lrqat/method/peqa.hpp>
#include <lrqat/method/quest.hpp>
#include <lrqat/method/qwha.hpp>
#include <lrqat/method/rotated_lr_qat.hpp>
#include <lrqat/method/ternary.hpp>
#include <lrqat/placement/bounded_rounding.hpp>
#include <lrqat/placement/inside_rounding.hpp>
#include <lrqat/placement/parallel.hpp>
#include <lrqat/placement/tied_weight_domain.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/scale_format/any_scale.hpp>
#include <lrqat/scale_format/float32_scale.hpp>
#include <lrqat/scale_format/fp16_scale.hpp>
#include <lrqat/storage/dense.hpp>
#include <lrqat/storage/fixed_point.hpp>
#include <lrqat/storage/packed.hpp>
#include <lrqat/trainable/trainable_set.hpp>
#include <lrqat/transform/hadamard.hpp>
#include <lrqat/transform/identity.hpp>

#endif  // LRQAT_LRQAT_HPP
