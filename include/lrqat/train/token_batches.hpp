// SPDX-License-Identifier: MIT
// train/token_batches.hpp: the training windows of a token stream, in a seeded order.
#ifndef LRQAT_TRAIN_TOKEN_BATCHES_HPP
#define LRQAT_TRAIN_TOKEN_BATCHES_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/rng.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace lrqat {

/// Cuts a stream into windows of `length` inputs, window w being [w length, (w + 1) length), with
/// the targets one token later, and deals them in batches: every epoch has each window once, in
/// an order of its own. What batch number n holds depends on (stream, length, batch, seed, n)
/// alone, so a resumed run only needs to know n.
///
/// @tparam Id  the integer type of the stream, such as std::uint16_t
template <std::integral Id>
class TokenBatches {
 public:
  /// @param stream  must outlive this object; its last partial window is not used
  /// @pre   length >= 1, batch >= 1, stream.size() > length
  TokenBatches(std::span<const Id> stream, std::size_t length, std::size_t batch,
               std::uint64_t seed)
      : stream_(stream), length_(length), batch_(batch), seed_(seed) {
    expects(length >= 1 && batch >= 1, "TokenBatches: ", batch, " windows of ", length,
            " tokens; neither may be 0");
    expects(stream.size() > length, "TokenBatches: a window of ", length, " tokens and the target ",
            "after it needs ", length + 1, " tokens, the stream has ", stream.size());
    windows_ = (stream.size() - 1) / length;
    expects(windows_ <= UINT32_MAX, "TokenBatches: ", windows_, " windows; at most ", UINT32_MAX,
            " can be dealt");
  }

  std::size_t length() const { return length_; }
  std::size_t batch() const { return batch_; }
  /// Windows in an epoch. An epoch need not end with a batch.
  std::size_t windows() const { return windows_; }

  /// Batch number `number`, counted from 0 across all epochs.
  ///
  /// @param inputs   (batch, length)   @param targets  (batch, length); the token after each input
  template <std::integral Out>
  void fill(std::uint64_t number, std::span<Out> inputs, std::span<Out> targets) {
    expects(inputs.size() == batch_ * length_ && targets.size() == batch_ * length_,
            "TokenBatches: a batch has ", batch_, " x ", length_, " tokens, there is room for ",
            inputs.size(), " inputs and ", targets.size(), " targets");
    for (std::size_t b = 0; b < batch_; ++b) {
      const std::size_t first = window(number * batch_ + b) * length_;
      for (std::size_t t = 0; t < length_; ++t) {
        inputs[b * length_ + t] = static_cast<Out>(stream_[first + t]);
        targets[b * length_ + t] = static_cast<Out>(stream_[first + t + 1]);
      }
    }
  }

 private:
  /// The window that is dealt at `position` of all epochs.
  std::size_t window(std::uint64_t position) {
    const std::uint64_t epoch = position / windows_;
    if (order_.empty() || epoch != epoch_) shuffle(epoch);
    return order_[position % windows_];
  }

  /// The order of an epoch: a Fisher-Yates shuffle of its own stream of random numbers.
  void shuffle(std::uint64_t epoch) {
    order_.resize(windows_);
    for (std::size_t i = 0; i < windows_; ++i) order_[i] = static_cast<std::uint32_t>(i);
    const CounterRng rng(seed_, epoch);
    for (std::size_t i = windows_ - 1; i > 0; --i)
      std::swap(order_[i], order_[rng.below(static_cast<std::uint32_t>(i + 1), i)]);
    epoch_ = epoch;
  }

  std::span<const Id> stream_;
  std::size_t length_, batch_;
  std::uint64_t seed_;
  std::size_t windows_ = 0;
  std::vector<std::uint32_t> order_;  // of epoch_; empty before the first batch
  std::uint64_t epoch_ = 0;
};

}  // namespace lrqat

#endif  // LRQAT_TRAIN_TOKEN_BATCHES_HPP
