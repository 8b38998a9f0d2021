// SPDX-License-Identifier: MIT
// tests/fuzz/one_input.cpp: libFuzzer's door to the target that the build names.
#include "targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  lrqat::fuzz::LRQAT_FUZZ_TARGET(std::as_bytes(std::span(data, size)));
  return 0;
}
