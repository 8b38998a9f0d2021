// SPDX-License-Identifier: MIT
// method/loftq.hpp: QLoRA from a base and an adapter that were chosen together.
#ifndef LRQAT_METHOD_LOFTQ_HPP
#define LRQAT_METHOD_LOFTQ_HPP

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/granularity/per_group.hpp>
#include <lrqat/grid/codebook.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/parallel.hpp>
#include <lrqat/storage/packed.hpp>
#include <lrqat/trainable/trainable_set.hpp>

namespace lrqat::method {

/// LoftQ (Li et al., arXiv 2310.08659) is an initializer: the layer is QLoRA's, on NF4 or NF2, and
/// comes from loftq_layer<LoftQ<Nf4, 16>>(weight, rounds) of initializer/eigen/loftq.hpp, which
/// needs Eigen. No merge(); dense() in float32. The uniform grids of the published code, clipped at
/// two standard deviations, are QuantLinear<Int<4>, ...> with an initializer of one's own.
template <class Table, std::size_t Rank, class... Others>
using LoftQ = QuantLinear<Codebook<Table>, PerGroup<64>, Packed, LowRank<Rank>, Parallel,
                          AdapterOnly, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_LOFTQ_HPP
