// SPDX-License-Identifier: MIT
// nn/perplexity.hpp: perplexity of a token stream in windows that do not overlap.
#ifndef LRQAT_NN_PERPLEXITY_HPP
#define LRQAT_NN_PERPLEXITY_HPP

#include <lrqat/core/expects.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lrqat {

struct PerplexityOptions {
  std::size_t context = 0;  // tokens of a window; 0: the model's own context
  std::size_t windows = 0;  // at most this many from the start; 0: all that fit
  std::size_t at_once = 8;  // windows in one forward pass; changes speed and memory only
};

struct PerplexityResult {
  double nll = 0;         // mean over all targets, nats
  double perplexity = 0;  // e^nll
  std::size_t windows = 0, targets = 0;
};

/// Windows of T = context tokens: inputs s[iT, iT + T), targets s[iT + 1, iT + T + 1), positions
/// from 0 in each, every target counts, the last window that is not full is dropped. Sums are
/// double: over the targets of a window, then over windows in their order.
///
/// @param model     has config().context and loss(inputs, targets, batch, length, nll)
/// @param progress  called as progress(windows done, windows in all) after each forward pass
/// Errors: fewer tokens than one window and its last target.
template <class Model, class Progress>
PerplexityResult perplexity(Model& model, std::span<const std::uint16_t> tokens,
                            const PerplexityOptions& options, Progress&& progress) {
  const std::size_t length = options.context == 0 ? model.config().context : options.context;
  expects(tokens.size() > length, "perplexity: ", tokens.size(), " tokens, one window of ", length,
          " needs ", length + 1);
  const std::size_t all = (tokens.size() - 1) / length;
  const std::size_t windows = options.windows == 0 ? all : std::min(options.windows, all);
  const std::size_t at_once = std::max<std::size_t>(options.at_once, 1);
  std::vector<double> nll(std::min(at_once, windows) * length);
  double sum = 0;
  for (std::size_t first = 0; first < windows; first += at_once) {
    const std::size_t batch = std::min(at_once, windows - first);
    const std::span<double> losses = std::span(nll).first(batch * length);
    model.loss(tokens.subspan(first * length, batch * length),
               tokens.subspan(first * length + 1, batch * length), batch, length, losses);
    for (std::size_t window = 0; window < batch; ++window) {
      double in_window = 0;
      for (const double loss : losses.subspan(window * length, length)) in_window += loss;
      sum += in_window;
    }
    progress(first + batch, windows);
  }
  PerplexityResult result;
  result.windows = windows;
  result.targets = windows * length;
  result.nll = sum / static_cast<double>(result.targets);
  result.perplexity = std::exp(result.nll);
  return result;
}

/// The same without progress.
template <class Model>
PerplexityResult perplexity(Model& model, std::span<const std::uint16_t> tokens,
                            const PerplexityOptions& options = {}) {
  return perplexity(model, tokens, options, [](std::size_t, std::size_t) {});
}

}  // namespace lrqat

#endif  // LRQAT_NN_PERPLEXITY_HPP
