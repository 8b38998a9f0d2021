// SPDX-License-Identifier: MIT
// method/peqa.hpp: only the scales are trained.
#ifndef LRQAT_METHOD_PEQA_HPP
#define LRQAT_METHOD_PEQA_HPP

#include <lrqat/linear/quant_linear.hpp>

namespace lrqat::method {

/// PEQA (Kim et al., arXiv 2305.14152): integers frozen after round-to-nearest, scales trained
/// with their true gradient. G is Int<b> or, as in the paper, UInt<b> with a frozen zero point.
template <class G, class... Others>
using Peqa = QuantLinear<G, NoAdapter, Packed, ScaleOnly, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_PEQA_HPP
