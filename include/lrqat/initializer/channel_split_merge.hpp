// SPDX-License-Identifier: MIT
// initializer/channel_split_merge.hpp: outlier channels are split, similar ones merged in exchange.
#ifndef LRQAT_INITIALIZER_CHANNEL_SPLIT_MERGE_HPP
#define LRQAT_INITIALIZER_CHANNEL_SPLIT_MERGE_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/initializer/input_statistics.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace lrqat {

/// The inputs of a linear layer as other channels (QLLM, Liu et al., arXiv 2310.08041). Channel k of
/// them is made from inputs j of a short list: x'_k = sum x_j / divisor, and its weight is sum W_j.
/// A channel that is split appears T times with divisor T, x W^T as it was; merged channels have
/// their mean, which changes x W^T a little.
class ChannelSplitMerge {
 public:
  struct Channel {
    std::vector<std::uint32_t> from;
    float divisor = 1.0f;
  };

  /// @param in  inputs of the layer as it was
  /// Errors: a channel made from nothing, from an input that is not there, or with another divisor
  /// than a number from 1.
  ChannelSplitMerge(std::size_t in, std::vector<Channel> channels)
      : in_(in), channels_(std::move(channels)) {
    for (std::size_t k = 0; k < channels_.size(); ++k) {
      expects(!channels_[k].from.empty() && channels_[k].divisor >= 1 &&
                  std::isfinite(channels_[k].divisor),
              "ChannelSplitMerge: channel ", k, " is made from ", channels_[k].from.size(),
              " inputs divided by ", channels_[k].divisor);
      for (const std::uint32_t j : channels_[k].from)
        expects(j < in, "ChannelSplitMerge: channel ", k, " is made from input ", j, " of ", in);
    }
  }

  std::size_t in_features() const { return in_; }
  /// Channels that the layer behind reads.
  std::size_t channels() const { return channels_.size(); }
  const Channel& operator[](std::size_t k) const { return channels_[k]; }

  /// x (in) of one token -> x' (channels).
  void forward(std::span<const float> x, std::span<float> made) const {
    for (std::size_t k = 0; k < channels_.size(); ++k) {
      float sum = 0.0f;
      for (const std::uint32_t j : channels_[k].from) sum += x[j];
      made[k] = sum / channels_[k].divisor;
    }
  }
  /// dL/dx' (channels) -> dL/dx (in), overwritten.
  void backward(std::span<const float> grad_made, std::span<float> grad_x) const {
    std::fill(grad_x.begin(), grad_x.end(), 0.0f);
    for (std::size_t k = 0; k < channels_.size(); ++k)
      for (const std::uint32_t j : channels_[k].from)
        grad_x[j] += grad_made[k] / channels_[k].divisor;
  }
  /// A row of the weight: (in) -> (channels).
  void weight_row(std::span<const float> row, std::span<float> made) const {
    for (std::size_t k = 0; k < channels_.size(); ++k) {
      made[k] = 0.0f;
      for (const std::uint32_t j : channels_[k].from) made[k] += row[j];
    }
  }

 private:
  std::size_t in_;
  std::vector<Channel> channels_;
};

/// T_j = ceil(max|x_j| / bound) parts of each channel, 1 where it is within the bound.
/// Errors: a bound that is not positive; ranges that are not finite; more parts than 65536.
inline std::vector<std::size_t> parts_within(std::span<const float> max_abs, float bound) {
  expects(bound > 0 && std::isfinite(bound), "parts_within: the bound is ", bound,
          ", it must be positive");
  std::vector<std::size_t> parts(max_abs.size(), 1);
  for (std::size_t j = 0; j < parts.size(); ++j) {
    const double count = std::ceil(static_cast<double>(max_abs[j]) / static_cast<double>(bound));
    expects(count <= 65536, "parts_within: channel ", j, " of up to ", max_abs[j], " has ", count,
            " parts within ", bound);
    if (max_abs[j] > bound) parts[j] = static_cast<std::size_t>(count);
  }
  return parts;
}

/// Disassembly alone, exact but for the rounding of each part: parts stand next to each other.
/// @param parts  (in) of each channel, at least 1, from parts_within
/// Errors: a channel of no parts.
inline ChannelSplitMerge split_channels(std::span<const std::size_t> parts) {
  std::vector<ChannelSplitMerge::Channel> channels;
  for (std::size_t j = 0; j < parts.size(); ++j) {
    expects(parts[j] >= 1, "split_channels: channel ", j, " has no parts; 1 leaves it whole");
    channels.insert(channels.end(), parts[j],
                    {{static_cast<std::uint32_t>(j)}, static_cast<float>(parts[j])});
  }
  return {parts.size(), std::move(channels)};
}

/// Disassembly and assembly: as many channels as before. Of the split channels in their order, every
/// other one, from the first, is matched with the one among the rest that costs least,
///
///   cost(a, b) = (sum over outputs of (w_a + w_b) |x_a - x_b|)^2
///
/// |x_a - x_b| over all tokens, the first of equals; the cheapest matches are merged, several into
/// one where they met there. Parts of a split channel are left alone, as in the published code.
///
/// @param inputs   with Gram matrix: it holds the distances
/// @param weights  each (out, in), all linears that read these inputs
/// @param parts    (in) of each channel, at least 1
/// Errors: no weight; shapes that do not fit; a channel of no parts; more extra channels than there
/// are to merge.
inline ChannelSplitMerge split_and_merge_channels(const InputStatistics& inputs,
                                                  std::span<const MatrixView<const float>> weights,
                                                  std::span<const std::size_t> parts) {
  const std::size_t in = inputs.in_features();
  const MatrixView<const double> gram = inputs.gram();
  expects(!weights.empty() && parts.size() == in, "split_and_merge_channels: ", weights.size(),
          " weights, parts of ", parts.size(), " channels, statistics of ", in);
  std::vector<double> of_column(in);
  for (const MatrixView<const float>& weight : weights) {
    expects(weight.cols == in, "split_and_merge_channels: a weight of ", weight.cols,
            " inputs, statistics are of ", in);
    for (std::size_t i = 0; i < weight.rows; ++i)
      for (std::size_t j = 0; j < in; ++j) of_column[j] += static_cast<double>(weight(i, j));
  }
  const ChannelSplitMerge split = split_channels(parts);
  const auto input_of = [&](std::size_t k) { return split[k].from.front(); };
  const auto is_whole = [&](std::size_t k) { return parts[input_of(k)] == 1; };

  struct Match {
    double cost = std::numeric_limits<double>::infinity();
    std::size_t source = 0, target = 0;
  };
  std::vector<Match> matches;
  for (std::size_t a = 0; a < split.channels(); a += 2) {
    if (!is_whole(a)) continue;
    Match best;
    for (std::size_t b = 1; b < split.channels(); b += 2) {
      if (!is_whole(b)) continue;
      const std::size_t i = input_of(a), j = input_of(b);
      const double apart = std::max(gram(i, i) + gram(j, j) - 2 * gram(i, j), 0.0);
      const double weight = of_column[i] + of_column[j], cost = weight * weight * apart;
      if (cost < best.cost) best = {cost, a, b};
    }
    if (best.cost < std::numeric_limits<double>::infinity()) matches.push_back(best);
  }
  const std::size_t extra = split.channels() - in;
  expects(extra <= matches.size(), "split_and_merge_channels: ", extra, " extra channels, but only ",
          matches.size(), " to merge; take a larger bound");
  std::stable_sort(matches.begin(), matches.end(),
                   [](const Match& x, const Match& y) { return x.cost < y.cost; });
  std::vector<ChannelSplitMerge::Channel> channels;
  for (std::size_t k = 0; k < split.channels(); ++k) channels.push_back(split[k]);
  for (std::size_t m = 0; m < extra; ++m) {
    channels[matches[m].target].from.push_back(input_of(matches[m].source));
    channels[matches[m].target].divisor += 1.0f;
    channels[matches[m].source].from.clear();
  }
  std::erase_if(channels, [](const auto& channel) { return channel.from.empty(); });
  return {in, std::move(channels)};
}

struct SplitBound {
  float bound = 0;
  double error = 0;
  std::vector<std::size_t> parts;  // (in)
};

/// The bound with the smallest error, the first of equals: from the largest |x|, which splits nothing,
/// down in `steps` equal steps while extra channels are at most a part `most_extra` of all. The
/// published search takes the error of the quantized attention's or MLP's output, and 0.1, 0.2 for
/// four-bit activations; its grid is not known to us.
///
/// @param error  (std::span<const std::size_t> parts, float bound) -> double
/// Errors: those of parts_within; no input; an error that is not a number.
template <class ErrorOf>
requires std::is_invocable_r_v<double, const ErrorOf&, std::span<const std::size_t>, float>
SplitBound split_bound_search(std::span<const float> max_abs, const ErrorOf& error,
                              double most_extra = 0.1, int steps = 100) {
  expects(!max_abs.empty() && steps > 0 && most_extra >= 0, "split_bound_search: ", max_abs.size(),
          " inputs, ", steps, " steps, a part of ", most_extra, " extra channels");
  const float largest = *std::max_element(max_abs.begin(), max_abs.end());
  SplitBound best;
  for (int i = 0; i < steps; ++i) {
    const float bound = largest > 0 ? largest * (1 - static_cast<float>(i) / static_cast<float>(steps))
                                    : 1.0f;
    std::vector<std::size_t> parts = parts_within(max_abs, bound);
    std::size_t channels = 0;
    for (const std::size_t count : parts) channels += count;
    const double extra = static_cast<double>(channels - parts.size());
    if (extra > most_extra * static_cast<double>(parts.size())) break;
    const double off = error(std::span<const std::size_t>(parts), bound);
    expects(!std::isnan(off), "split_bound_search: the error with bound ", bound,
            " is not a number");
    if (i == 0 || off < best.error) best = {bound, off, std::move(parts)};
  }
  return best;
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_CHANNEL_SPLIT_MERGE_HPP
