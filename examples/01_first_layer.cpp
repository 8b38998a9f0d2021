// SPDX-License-Identifier: MIT
// 01_first_layer.cpp: quantize a weight, train a step of LR-QAT, merge it to plain int4.
#include <lrqat/lrqat.hpp>

#include <cstdio>
#include <vector>

int main() {
  using Linear = lrqat::QuantLinear<lrqat::Int<4>, lrqat::PerChannel, lrqat::FixedPoint,
                                    lrqat::LowRank<8>>;  // LR-QAT, Q4.4
  const std::size_t out = 64, in = 96, tokens = 5;
  std::vector<float> weight(out * in), x(tokens * in), y(tokens * out), merged_y(tokens * out);
  const lrqat::CounterRng random(/*seed=*/1, /*stream=*/0);
  for (std::size_t i = 0; i < weight.size(); ++i) weight[i] = 0.1f * random.normal(i);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = random.normal(weight.size() + i);

  Linear layer({weight.data(), out, in});  // W0 is frozen as one byte a weight, then not needed
  layer.forward({x.data(), tokens, in}, {y.data(), tokens, out});

  std::vector<float> grad_y = y, grad_x(x.size());  // the gradient of sum(y^2) / 2
  layer.backward({x.data(), tokens, in}, {grad_y.data(), tokens, out}, {grad_x.data(), tokens, in});
  for (auto& parameter : layer.parameters())
    for (std::size_t i = 0; i < parameter.value.size(); ++i)
      parameter.value[i] -= 1e-4f * parameter.gradient[i];

  layer.forward({x.data(), tokens, in}, {y.data(), tokens, out});
  const auto deployed = layer.merge();  // int4 codes and scales, no adapter
  deployed.forward({x.data(), tokens, in}, {merged_y.data(), tokens, out});
  std::printf("training %zu bytes, deployed %zu bytes, same bits: %s\n", layer.bytes().total(),
              deployed.bytes().total(), y == merged_y ? "yes" : "no");
  return y == merged_y ? 0 : 1;
}
