// SPDX-License-Identifier: MIT
// tests/compile_fail/salient_without_take_out.cpp: a policy that leaves gradients where they are.
// expect: QuantLinear<...>: the salient policy does not model lrqat::SalientWeights
#include <lrqat/lrqat.hpp>

/// The first weight of each row is 1.
struct FirstIsOne {
  using policy_kind = lrqat::kind::salient;
  static constexpr bool keeps = true;
  struct state {
    explicit state(lrqat::Shape) {}
    std::span<const float> rest(std::size_t, std::size_t col, std::span<const float> values) const {
      return values.subspan(col == 0 ? 1 : 0);
    }
    void put_back(const lrqat::Tile& tile, lrqat::MatrixView<float> w) const {
      for (std::size_t i = 0; tile.col == 0 && i < tile.rows; ++i) w(i, 0) = 1.0f;
    }
#ifdef LRQAT_CONTROL
    void take_out(const lrqat::Tile& tile, lrqat::MatrixView<float> g) const {
      for (std::size_t i = 0; tile.col == 0 && i < tile.rows; ++i) g(i, 0) = 0.0f;
    }
#endif
    std::size_t bytes() const { return 0; }
  };
};
using Layer = lrqat::QuantLinear<lrqat::Int<4>, lrqat::LowRank<4>, FirstIsOne>;

void train(lrqat::MatrixView<const float> x, lrqat::MatrixView<float> y) {
  Layer layer(x);
  layer.forward(x, y);
  layer.backward(x, x, y);
  layer.parameters();
}
