// SPDX-License-Identifier: MIT
// 02_own_grid.cpp: a quantizer of one's own, powers of two, with everything else of the library.
#include <lrqat/lrqat.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

/// Levels 0, +-1, +-2, +-4, ... +-2^(2^(Bits-1) - 2): multiplying by a level is a shift.
template <int Bits>
struct PowersOfTwo {
  using policy_kind = lrqat::kind::grid;
  static constexpr int bits = Bits, code_min = -((1 << (Bits - 1)) - 1), code_max = -code_min;
  static constexpr bool has_zero_point = false;

  template <class V>
  static V round(V u) {  // the nearer of the two powers around |u|; below 1, 0 or 1
    const V size = std::fabs(u), low = std::exp2(std::floor(std::log2(size)));
    const V power = size < V(1) ? (size > V(0.5) ? V(1) : V(0)) : size > V(1.5) * low ? 2 * low : low;
    return std::copysign(power, u);
  }
  template <class V>
  static V clip(V rounded, V) {
    const V top = std::exp2(V(code_max - 1));
    return lrqat::clamp(rounded, -top, top);
  }
  template <class V>
  static int code(V level, V) {  // sign and 1 + exponent
    return level == V(0) ? 0 : static_cast<int>(std::copysign(1 + std::log2(std::fabs(level)), level));
  }
  template <class V>
  static V level(int code, V) {
    return code == 0 ? V(0) : std::copysign(std::exp2(V(std::abs(code) - 1)), V(code));
  }
};

int main() {
  using Linear = lrqat::QuantLinear<PowersOfTwo<4>, lrqat::PerGroup<32>, lrqat::Dense<lrqat::bf16>,
                                    lrqat::LowRank<4>>;
  const std::size_t out = 32, in = 64;
  std::vector<float> weight(out * in), x(in, 1.0f), y(out), merged_y(out);
  const lrqat::CounterRng random(1, 0);
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = random.normal(i);

  Linear layer({weight.data(), out, in});
  layer.forward({x.data(), 1, in}, {y.data(), 1, out});
  layer.merge().forward({x.data(), 1, in}, {merged_y.data(), 1, out});
  std::printf("y[0] = %.6f, merged %.6f\n", static_cast<double>(y[0]), static_cast<double>(merged_y[0]));
  return y == merged_y ? 0 : 1;
}
