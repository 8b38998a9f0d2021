// SPDX-License-Identifier: MIT
// tests/compile_fail/storage_without_decode.cpp: a storage that lacks a member of its concept.
// expect: QuantLinear<...>: the storage does not model lrqat::StorageOf for this grid
#include <lrqat/lrqat.hpp>

struct Mine {
  using policy_kind = lrqat::kind::storage;
  template <lrqat::Grid G>
  struct bound_to {
    static constexpr bool keeps_reals = true;
    static std::size_t bytes_per_row(std::size_t in) { return in; }
    static void encode(std::span<const float>, float, std::byte*, std::size_t) {}
#ifdef LRQAT_CONTROL
    static void decode(const std::byte*, std::size_t, float, std::span<float>) {}
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
