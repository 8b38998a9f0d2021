// SPDX-License-Identifier: MIT
// io/stored_llama.hpp: a merged LLaMA on its way to a file, and on its way back.
#ifndef LRQAT_IO_STORED_LLAMA_HPP
#define LRQAT_IO_STORED_LLAMA_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/linear/merged_weight.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_frame.hpp>
#include <lrqat/nn/llama_weights.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace lrqat {

/// What a writer asks for: the frame, and the linear layers one at a time, merged or plain floats,
/// each as it is. Both must outlive this.
struct LlamaToStore {
  const LlamaFrame<float>& frame;
  std::function<const AnyLinear&(const LinearName&)> layer;

  /// @param model  a Llama<AnyLinear> after merge(); what still trains on a grid is an error later
  template <class Model>
  static LlamaToStore of(const Model& model) {
    expects(!model.frame().embedding.is_bf16(),
            "LlamaToStore: an embedding in bfloat16 is not written; make the model in float");
    return {model.frame(),
            [&model](const LinearName& which) -> const AnyLinear& { return model.linear(which); }};
  }
};

/// What a reader returns: the whole model in float32, exactly as the file's numbers say, and beside
/// it the codes and scales of each linear layer that the file has them for.
struct StoredLlama {
  LlamaWeights weights;
  std::vector<std::optional<MergedWeight>> layers;  // (layers * 7), in the order of linear_kinds

  /// Null where the file stores floats.
  const MergedWeight* layer(const LinearName& which) const {
    const std::optional<MergedWeight>& found =
        layers[which.block * linear_kinds.size() + static_cast<std::size_t>(which.kind)];
    return found ? &*found : nullptr;
  }
};

namespace detail {

/// visit(LinearName) for each linear layer, in the order of the blocks.
template <class Visit>
void for_each_linear_name(const LlamaConfig& config, const Visit& visit) {
  for (std::size_t block = 0; block < config.layers; ++block)
    for (const LinearKind kind : linear_kinds) visit(LinearName{block, kind});
}

}  // namespace detail

}  // namespace lrqat

#endif  // LRQAT_IO_STORED_LLAMA_HPP
