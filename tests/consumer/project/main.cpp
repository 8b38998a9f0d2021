// SPDX-License-Identifier: MIT
// tests/consumer/project/main.cpp: a first program with lrqat::lrqat.
#include <lrqat/lrqat.hpp>

#include <cstdio>
#include <vector>

int main() {
  using Linear = lrqat::QuantLinear<lrqat::Int<4>, lrqat::FixedPoint, lrqat::LowRank<2>>;
  const std::vector<float> weight{-8, 7, 1, -2, 8, 3}, x{1, 2, 4};
  std::vector<float> trained(2), merged(2);
  const Linear layer({weight.data(), 2, 3});
  layer.forward({x.data(), 1, 3}, {trained.data(), 1, 2});
  layer.merge().forward({x.data(), 1, 3}, {merged.data(), 1, 2});
  std::printf("consumer: lrqat %d.%d.%d %s\n", LRQAT_VERSION_MAJOR, LRQAT_VERSION_MINOR,
              LRQAT_VERSION_PATCH, trained == merged ? "works" : "fails");
}
