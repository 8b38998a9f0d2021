// SPDX-License-Identifier: MIT
// method/omniquant.hpp: frozen weights, and a learned part of their range for the grid.
#ifndef LRQAT_METHOD_OMNIQUANT_HPP
#define LRQAT_METHOD_OMNIQUANT_HPP

#include <lrqat/adapter/channel_scales.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/trainable/trainable_set.hpp>

namespace lrqat::method {

/// OmniQuant's learned weight clipping (Shao et al., arXiv 2308.13137): W_hat = s (clip(round(W / s) +
/// z, 0, 2^b - 1) - z) with W frozen and s, z from two learned logits for each group
/// (parameterization/clipped_cells.hpp). Trained one block of a model at a time against the float
/// block's output (train/block_reconstruction.hpp), AdamW, 1e-2 for the logits. Merges exactly, to
/// codes, scales and zero points; convert_to<Peqa<UInt<b>>>() keeps them and lets the scales learn on.
///
/// The base is float32; add Dense<bf16> for half of it. 0 counts to a group's range, which makes a
/// difference in groups of one sign alone.
template <int Bits, class... Others>
using OmniQuant = QuantLinear<UInt<Bits>, NoAdapter, WeightDomain, ClipsOnly, Others...>;

/// With the other half of the method, learned equivalent transforms: trained by
/// BlockReconstruction::train(plan, transform) with an EquivalentTransform for each block
/// (train/equivalent_transform.hpp), 5e-3 for its scales. Merges like the first; the transform is in
/// the codes and in the model's norms.
template <int Bits, class... Others>
using OmniQuantLet =
    QuantLinear<UInt<Bits>, ChannelScales, WeightDomain, AdapterAndClips, Others...>;

}  // namespace lrqat::method

#endif  // LRQAT_METHOD_OMNIQUANT_HPP
