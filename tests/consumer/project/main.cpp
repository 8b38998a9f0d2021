// SPDX-License-Identifier: MIT
// tests/consumer/project/main.cpp: a first program with lrqat::lrqat.
#include <lrqat/core/config.hpp>
#include <lrqat/core/matrix_view.hpp>

#include <cstdio>

int main() {
  const float weight[6] = {1, 2, 3, 4, 5, 6};
  const lrqat::MatrixView<const float> view(weight, 2, 3);
  std::printf("consumer: lrqat %d.%d.%d %s\n", LRQAT_VERSION_MAJOR, LRQAT_VERSION_MINOR,
              LRQAT_VERSION_PATCH, view(1, 2) == 6 ? "works" : "fails");
}
