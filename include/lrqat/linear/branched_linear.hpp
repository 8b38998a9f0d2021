// SPDX-License-Identifier: MIT
// linear/branched_linear.hpp: a layer of any type and a low-rank branch beside it, both trained.
#ifndef LRQAT_LINEAR_BRANCHED_LINEAR_HPP
#define LRQAT_LINEAR_BRANCHED_LINEAR_HPP

#include <lrqat/adapter/gated_low_rank.hpp>
#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/transpose.hpp>
#include <lrqat/linear/dense_product.hpp>
#include <lrqat/linear/detail/mergeable.hpp>
#include <lrqat/linear/input_passes.hpp>  // quantizes_input
#include <lrqat/linear/layer_bytes.hpp>

#include <cstddef>
#include <utility>

namespace lrqat {

/// y = layer(x) + gain x (A diag(gates) B)^T, A (out, r), B (r, in): what the placement Parallel is
/// to a frozen base, for a layer that trains its weight itself. The branch is a GatedLowRank
/// adapter: faded to rank 0 it is gone, and the layer alone is left, to the bit. Both read the same
/// x; a quantizer of it goes in front of both (QuantizedInputLinear).
template <LinearLayer Linear, std::size_t MaxRank>
class BranchedLinear {
  static_assert(
      !detail::quantizes_input<Linear>,
      "BranchedLinear: the layer quantizes its input for itself, and the branch would read "
      "another x; leave Input<> out and put a QuantizedInputLinear in front.");

 public:
  using scalar = float;
  using branch_type = typename GatedLowRank<MaxRank>::state;
  /// Whether merge() exists: where the layer has it.
  static constexpr bool merges = detail::mergeable<Linear>;

  /// The branch starts as LowRank<MaxRank>: A = 0. Errors: alpha is not finite.
  explicit BranchedLinear(Linear layer, const QuantOptions& options = {})
      : layer_(std::move(layer)), branch_({layer_.out_features(), layer_.in_features()}, options) {}

  std::size_t in_features() const { return layer_.in_features(); }
  std::size_t out_features() const { return layer_.out_features(); }
  const Linear& layer() const { return layer_; }
  Linear& layer() { return layer_; }
  const branch_type& branch() const { return branch_; }
  branch_type& branch() { return branch_; }

  /// x (tokens, in) -> y (tokens, out), overwritten. Errors: shapes that do not fit.
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    layer_.forward(x, y);
    if (branch_.has_vanished()) return;
    const auto a = scratch<struct branch_a_slot>(branch_.rank(), out_features());
    kernel::transpose(branch_.a(), a);
    dense_add_input_gradient<float>(hidden(x), a, y);  // y += hidden A^T
  }

  /// The x of forward and dL/dy (tokens, out) -> dL/dx (tokens, in), overwritten; adds to the
  /// gradients of both.
  void backward(MatrixView<const float> x, MatrixView<const float> grad_y,
                MatrixView<float> grad_x) {
    layer_.backward(x, grad_y, grad_x);
    if (branch_.has_vanished()) return;
    const Parameters<float> ab = branch_.parameters();
    dense_weight_gradient<float>(hidden(x), grad_y,
                                 {ab[0].gradient.data(), out_features(), branch_.rank()});
    const auto grad_hidden = scratch<struct branch_gradient_slot>(x.rows, branch_.rank());
    dense_input_gradient<float>(grad_y, branch_.a(), grad_hidden);
    gate(grad_hidden);
    dense_add_input_gradient<float>(grad_hidden, branch_.b(), grad_x);
    dense_weight_gradient<float>(x, grad_hidden,
                                 {ab[1].gradient.data(), branch_.rank(), in_features()});
  }

  /// The layer's, and "branch.A" and "branch.B" until the rank is 0.
  Parameters<float> parameters() {
    Parameters<float> all = layer_.parameters();
    append_prefixed(all, "branch", branch_.parameters());
    return all;
  }
  void after_step() requires requires(Linear& layer) { layer.after_step(); } {
    layer_.after_step();
  }

  LayerBytes bytes() const requires requires(const Linear& layer) { layer.bytes(); } {
    LayerBytes parts = layer_.bytes();
    const std::size_t factors = branch_.a().shape().size() + branch_.b().shape().size();
    parts.adapter += (factors + branch_.rank()) * sizeof(float);
    parts.gradients += factors * sizeof(float);
    return parts;
  }

  /// The layer's. Errors: a branch that is still there, which integers cannot hold.
  auto merge() const requires merges {
    expects(branch_.has_vanished(), "BranchedLinear::merge: the branch still has rank ",
            branch_.rank(), ", which integers cannot hold; train it to rank 0 first");
    return layer_.merge();
  }

 private:
  /// gain x B^T diag(gates), (tokens, r)
  MatrixView<float> hidden(MatrixView<const float> x) const {
    const auto h = scratch<struct branch_hidden_slot>(x.rows, branch_.rank());
    dense_forward<float>(x, branch_.b(), h);
    gate(h);
    return h;
  }
  void gate(MatrixView<float> h) const {
    for (std::size_t t = 0; t < h.rows; ++t)
      for (std::size_t k = 0; k < h.cols; ++k) h(t, k) *= branch_.gain() * branch_.gates()[k];
  }

  Linear layer_;
  branch_type branch_;
};

}  // namespace lrqat

#endif  // LRQAT_LINEAR_BRANCHED_LINEAR_HPP
