// SPDX-License-Identifier: MIT
// linear/split_merge_linear.hpp: a layer behind split and merged channels of its inputs.
#ifndef LRQAT_LINEAR_SPLIT_MERGE_LINEAR_HPP
#define LRQAT_LINEAR_SPLIT_MERGE_LINEAR_HPP

#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/initializer/channel_split_merge.hpp>
#include <lrqat/initializer/weight_rows.hpp>
#include <lrqat/linear/detail/mergeable.hpp>
#include <lrqat/linear/input_passes.hpp>  // for_each_token
#include <lrqat/linear/layer_bytes.hpp>

#include <cstddef>
#include <span>
#include <utility>

namespace lrqat {

/// The rows of a weight (out, in) for the channels of a ChannelSplitMerge; both must outlive it.
struct SplitMergeRows {
  MatrixView<const float> weight;
  const ChannelSplitMerge& channels;
  void operator()(std::size_t row, std::span<float> values) const {
    channels.weight_row(weight.row(row), values);
  }
};
static_assert(WeightRows<SplitMergeRows>);

/// y = layer(x'), x' the channels made from x, gathered anew for each token (QLLM's online gather).
/// The layer is made from SplitMergeRows and quantizes x' itself, where it does.
template <class Linear>
class SplitMergeLinear {
 public:
  using scalar = float;
  /// Whether merge() exists: where the layer has it.
  static constexpr bool merges = detail::mergeable<Linear>;

  /// Errors: a layer of another number of inputs than channels.
  SplitMergeLinear(ChannelSplitMerge channels, Linear layer)
      : channels_(std::move(channels)), layer_(std::move(layer)) {
    expects(layer_.in_features() == channels_.channels(), "SplitMergeLinear: the layer has ",
            layer_.in_features(), " inputs for ", channels_.channels(), " channels");
  }

  std::size_t in_features() const { return channels_.in_features(); }
  std::size_t out_features() const { return layer_.out_features(); }
  const ChannelSplitMerge& channels() const { return channels_; }
  const Linear& layer() const { return layer_; }
  Linear& layer() { return layer_; }

  /// x (tokens, in) -> y (tokens, out), overwritten. Errors: shapes that do not fit.
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    layer_.forward(made("forward", x), y);
  }

  /// The x of forward and dL/dy (tokens, out) -> dL/dx (tokens, in), overwritten.
  void backward(MatrixView<const float> x, MatrixView<const float> grad_y,
                MatrixView<float> grad_x) requires LinearLayer<Linear> {
    expects(grad_x.shape() == x.shape(), "SplitMergeLinear::backward: grad_x is (", grad_x.rows,
            ", ", grad_x.cols, "), x is (", x.rows, ", ", x.cols, ")");
    const auto from = made("backward", x);
    const auto grad = scratch<struct split_gradient_slot>(x.rows, channels_.channels());
    layer_.backward(from, grad_y, grad);
    detail::for_each_token(
        x.rows, [&](std::size_t t) { channels_.backward(grad.row(t), grad_x.row(t)); });
  }

  Parameters<float> parameters() requires LinearLayer<Linear> { return layer_.parameters(); }
  void after_step() requires requires(Linear& layer) { layer.after_step(); } { layer_.after_step(); }
  LayerBytes bytes() const requires requires(const Linear& layer) { layer.bytes(); } {
    return layer_.bytes();
  }
  /// The merged layer behind the same channels: the same bits.
  auto merge() const requires merges {
    return SplitMergeLinear<decltype(layer_.merge())>(channels_, layer_.merge());
  }

 private:
  MatrixView<const float> made(const char* pass, MatrixView<const float> x) const {
    expects(x.cols == in_features(), "SplitMergeLinear::", pass, ": x is (", x.rows, ", ", x.cols,
            "), the layer has ", in_features(), " inputs");
    const auto values = scratch<struct split_input_slot>(x.rows, channels_.channels());
    detail::for_each_token(x.rows,
                           [&](std::size_t t) { channels_.forward(x.row(t), values.row(t)); });
    return values;
  }

  ChannelSplitMerge channels_;
  Linear layer_;
};

}  // namespace lrqat

#endif  // LRQAT_LINEAR_SPLIT_MERGE_LINEAR_HPP
