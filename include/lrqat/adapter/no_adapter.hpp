// SPDX-License-Identifier: MIT
// adapter/no_adapter.hpp: nothing on top of the base; with learned scales this is PEQA.
#ifndef LRQAT_ADAPTER_NO_ADAPTER_HPP
#define LRQAT_ADAPTER_NO_ADAPTER_HPP

#include <lrqat/concept/adapter.hpp>

namespace lrqat {

struct NoAdapter {
  using policy_kind = kind::adapter;
  static constexpr bool keeps_base = false;

  struct state {
    state(Shape, const QuantOptions&) {}
    Parameters<float> parameters() { return {}; }
    std::size_t shared_gradients() const { return 0; }
    void add(const Tile&, MatrixView<float>) const {}
    void backward(const Tile&, MatrixView<const float>, std::span<float>) {}
    void reduce(std::span<const float>) {}
  };
};

static_assert(Adapter<NoAdapter>);

}  // namespace lrqat

#endif  // LRQAT_ADAPTER_NO_ADAPTER_HPP
