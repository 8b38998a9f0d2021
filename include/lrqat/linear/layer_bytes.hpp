// SPDX-License-Identifier: MIT
// linear/layer_bytes.hpp: where a layer's memory is.
#ifndef LRQAT_LINEAR_LAYER_BYTES_HPP
#define LRQAT_LINEAR_LAYER_BYTES_HPP

#include <cstddef>

namespace lrqat {

struct LayerBytes {
  std::size_t base = 0;       // frozen base, or merged codes
  std::size_t scales = 0;     // scales and zero points
  std::size_t adapter = 0;    // its tensors, trained and frozen
  std::size_t bias = 0;
  std::size_t gradients = 0;  // of everything trained

  constexpr std::size_t total() const { return base + scales + adapter + bias + gradients; }
  constexpr LayerBytes& operator+=(const LayerBytes& other) {
    base += other.base;
    scales += other.scales;
    adapter += other.adapter;
    bias += other.bias;
    gradients += other.gradients;
    return *this;
  }
};

}  // namespace lrqat

#endif  // LRQAT_LINEAR_LAYER_BYTES_HPP
