// SPDX-License-Identifier: MIT
// nn/calibration.hpp: what the inputs of a LLaMA's linear layers are like on some text.
#ifndef LRQAT_NN_CALIBRATION_HPP
#define LRQAT_NN_CALIBRATION_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/initializer/input_statistics.hpp>
#include <lrqat/linear/observed_linear.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama.hpp>
#include <lrqat/nn/perplexity.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

namespace lrqat {

struct CalibrationOptions {
  PerplexityOptions text{};  // windows of the text, read from its start
  GramMatrix gram = GramMatrix::collected;
  /// One block alone, the others are passed through: Gram matrices of a whole large model need 8
  /// in^2 bytes for each of the four inputs of a block.
  std::optional<std::size_t> block{};
};

/// Statistics of the inputs of each linear layer. Query, key and value share theirs, and so do gate
/// and up.
class Calibration {
 public:
  Calibration(const LlamaConfig& config, const CalibrationOptions& options)
      : inputs_(config.layers * 4) {
    expects(!options.block || *options.block < config.layers, "calibrate: block ",
            options.block.value_or(0), " of a model of ", config.layers);
    for (std::size_t b = 0; b < config.layers; ++b)
      if (!options.block || *options.block == b)
        for (const LinearKind kind : firsts)
          inputs_[index({b, kind})] = InputStatistics(linear_shape(config, kind).cols, options.gram);
  }

  /// Errors: a layer of a block that was left out, or that is not there.
  const InputStatistics& inputs(const LinearName& which) const {
    expects(index(which) < inputs_.size() && inputs_[index(which)].in_features() > 0,
            "Calibration: there are no statistics of ", which.text());
    return inputs_[index(which)];
  }

  /// Where the inputs of that layer are to be recorded: null for all but the first of layers that
  /// share them, and in blocks that are left out.
  InputStatistics* recorder(const LinearName& which) {
    InputStatistics& own = inputs_[index(which)];
    for (const LinearKind first : firsts)
      if (which.kind == first && own.in_features() > 0) return &own;
    return nullptr;
  }

  /// Of the model as it was, on the text that was read.
  PerplexityResult perplexity;

 private:
  static constexpr LinearKind firsts[4] = {LinearKind::query, LinearKind::output, LinearKind::gate,
                                           LinearKind::down};
  static constexpr std::size_t index(const LinearName& which) {
    switch (which.kind) {
      case LinearKind::query:
      case LinearKind::key:
      case LinearKind::value:
        return which.block * 4;
      case LinearKind::output:
        return which.block * 4 + 1;
      case LinearKind::gate:
      case LinearKind::up:
        return which.block * 4 + 2;
      case LinearKind::down:
        break;
    }
    return which.block * 4 + 3;
  }

  std::vector<InputStatistics> inputs_;  // four a block; empty where left out
};

/// Runs the model over windows of the text as perplexity() does and records what its linear layers
/// are given. The model is not changed; only its embedding, norms and head are copied. The same bits
/// for any number of threads; sums of products also depend on options.text.at_once, which decides
/// how many tokens come at a time.
/// Errors: those of perplexity(); a block that is not there; an activation that is not finite.
template <class Linear>
Calibration calibrate(const Llama<Linear>& model, std::span<const std::uint16_t> tokens,
                      const CalibrationOptions& options = {}) {
  static_assert(std::is_same_v<typename Linear::scalar, float>,
                "calibrate: statistics are of float activations; use a Llama of float layers.");
  Calibration found(model.config(), options);
  LlamaOptions same;
  same.activations = model.options().activations;
  Llama<ObservedLinear<Linear>> observed = model.template convert<ObservedLinear<Linear>>(
      [&](const Linear& linear, const LinearName& which) {
        return ObservedLinear<Linear>(linear, found.recorder(which));
      },
      same);
  found.perplexity = perplexity(observed, tokens, options.text);
  return found;
}

}  // namespace lrqat

#endif  // LRQAT_NN_CALIBRATION_HPP
