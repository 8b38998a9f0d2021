// SPDX-License-Identifier: MIT
// tests/consumer/project/io.cpp: what lrqat::io brings.
#include <lrqat/io/safetensors.hpp>

int main() {
  lrqat::write_safetensors("empty.safetensors", {}, {});
  return lrqat::SafetensorsFile("empty.safetensors").names().empty() ? 0 : 1;
}
