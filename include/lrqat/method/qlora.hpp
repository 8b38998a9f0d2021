// SPDX-License-Identifier: MIT
// method/qlora.hpp: LoRA beside a 4-bit base.
#ifndef LRQAT_METHOD_QLORA_HPP
#define LRQAT_METHOD_QLORA_HPP

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/granularity/per_group.hpp>
#include <lrqat/grid/codebook.hpp>
#include <lrqat/initializer/double_quantization.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/parallel.hpp>
#include <lrqat/storage/packed.hpp>
#include <lrqat/trainable/trainable_set.hpp>

namespace lrqat::method {

/// QLoRA (Dettmers et al., arXiv 2305.14314): NF4 codes on blocks of 64 with their absmax, and a
/// LoRA branch, trained A, B. No merge(): the sum is off the grid; dense() gives it in float32.
/// Double quantization of the scales: double_quantize(layer.weight().scales()). Here A and B are
/// float32, where the published code has bfloat16, and blocks do not reach across rows.
template <std::size_t Rank, class... Others>
using Qlora = QuantLinear<Codebook<Nf4>, PerGroup<64>, Packed, LowRank<Rank>, Parallel, AdapterOnly,
                          Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_QLORA_HPP
