// SPDX-License-Identifier: MIT
// tests/compile_fail/adapter_without_reduce.cpp: an adapter that lacks a member of its concept.
// expect: QuantLinear<...>: the adapter does not model lrqat::Adapter
#include <lrqat/lrqat.hpp>

struct Mine {
  using policy_kind = lrqat::kind::adapter;
  static constexpr bool keeps_base = false;
  struct state {
    state(lrqat::Shape, const lrqat::QuantOptions&) {}
    lrqat::Parameters<float> parameters() { return {}; }
    std::size_t shared_gradients() const { return 0; }
    void add(const lrqat::Tile&, lrqat::MatrixView<float>) const {}
    void backward(const lrqat::Tile&, lrqat::MatrixView<const float>, std::span<float>) {}
#ifdef LRQAT_CONTROL
    void reduce(std::span<const float>) {}
#endif
  };
};

#ifdef LRQAT_CONTROL
using Layer = lrqat::QuantLinear<lrqat::Int<4>, Mine>;
#else
using Layer = lrqat::QuantLinear<lrqat::Int<4>, Mine>;
#endif

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
  layer.merge().forward(x, y);
}
