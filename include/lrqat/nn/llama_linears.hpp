// SPDX-License-Identifier: MIT
// nn/llama_linears.hpp: the linear layers of a LLaMA, found by name.
#ifndef LRQAT_NN_LLAMA_LINEARS_HPP
#define LRQAT_NN_LLAMA_LINEARS_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace lrqat {

/// Seven for each block, in the order in which the block uses them.
template <class Linear>
class LlamaLinears {
 public:
  /// @param make  (const LinearName&) -> Linear, called for each layer in order
  /// Errors: a layer of another shape than linear_shape().
  template <class Make>
  LlamaLinears(const LlamaConfig& config, Make&& make) {
    layers_.reserve(config.layers * linear_kinds.size());
    for (std::size_t b = 0; b < config.layers; ++b)
      for (const LinearKind kind : linear_kinds) {
        const LinearName which{b, kind};
        const Shape shape = linear_shape(config, kind);
        layers_.push_back(make(which));
        const Linear& made = layers_.back();
        expects(made.out_features() == shape.rows && made.in_features() == shape.cols,
                "Llama: the layer made for ", which.text(), " is (", made.out_features(), ", ",
                made.in_features(), "), the model needs (", shape.rows, ", ", shape.cols, ")");
      }
  }

  Linear& operator[](const LinearName& which) { return layers_[index(which)]; }
  const Linear& operator[](const LinearName& which) const { return layers_[index(which)]; }

  /// The first of the seven of a block.
  Linear* of_block(std::size_t b) { return &layers_[b * linear_kinds.size()]; }

  /// visit(const LinearName&, Linear&), in order.
  template <class Visit>
  void for_each(Visit&& visit) {
    for (std::size_t i = 0; i < layers_.size(); ++i) visit(name_of(i), layers_[i]);
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t i = 0; i < layers_.size(); ++i) visit(name_of(i), layers_[i]);
  }

 private:
  static std::size_t index(const LinearName& which) {
    return which.block * linear_kinds.size() + static_cast<std::size_t>(which.kind);
  }
  static LinearName name_of(std::size_t i) {
    return {i / linear_kinds.size(), linear_kinds[i % linear_kinds.size()]};
  }

  std::vector<Linear> layers_;
};

}  // namespace lrqat

#endif  // LRQAT_NN_LLAMA_LINEARS_HPP
