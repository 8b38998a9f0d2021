// SPDX-License-Identifier: MIT
// method/lora.hpp: a low-rank update of a frozen weight that nothing quantizes.
#ifndef LRQAT_METHOD_LORA_HPP
#define LRQAT_METHOD_LORA_HPP

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/grid/unquantized.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/trainable/trainable_set.hpp>

namespace lrqat::method {

/// LoRA (Hu et al., arXiv 2106.09685): y = x (W0 + alpha/r A B)^T, trained A, B. merge() gives a
/// DenseLinear: exact but for float32. Add Dense<bf16> for a base in 16 bits. As in the published
/// code B is Kaiming-uniform with a = sqrt(5), where the paper has a Gaussian; its letters A and B
/// are the other way round. The branch is evaluated inside the weight's tiles, not as (x B^T) A^T,
/// and there is no dropout of x.
template <std::size_t Rank, class... Others>
using Lora = QuantLinear<Unquantized, LowRank<Rank>, WeightDomain, AdapterOnly, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_LORA_HPP
