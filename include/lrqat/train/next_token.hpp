// SPDX-License-Identifier: MIT
// train/next_token.hpp: the usual training step of a language model.
#ifndef LRQAT_TRAIN_NEXT_TOKEN_HPP
#define LRQAT_TRAIN_NEXT_TOKEN_HPP

#include <lrqat/nn/llama.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace lrqat {

/// A MicroStep (train/trainer.hpp): the mean cross-entropy of the tokens that follow. It refers to the
/// model.
template <class Linear>
auto next_token(Llama<Linear>& model) {
  return [&model](std::span<const std::uint16_t> inputs, std::span<const std::uint16_t> targets,
                  std::size_t batch, std::size_t length, float gradient_scale) {
    return model.loss_and_gradients(inputs, targets, batch, length,
                                    static_cast<double>(gradient_scale));
  };
}

}  // namespace lrqat

#endif  // LRQAT_TRAIN_NEXT_TOKEN_HPP
