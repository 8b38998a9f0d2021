// SPDX-License-Identifier: MIT
// tests/compile_fail/storage_without_bound_to.cpp: a storage that cannot be bound to a grid.
// expect: QuantLinear<...>: the storage does not model lrqat::StorageOf for this grid
#include <lrqat/lrqat.hpp>

struct Mine {
  using policy_kind = lrqat::kind::storage;
#ifdef LRQAT_CONTROL
  template <lrqat::Grid G>
  using bound_to = lrqat::Packed::bound_to<G>;
#endif
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
