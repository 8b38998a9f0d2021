// SPDX-License-Identifier: MIT
// tests/fuzz/header_mutator.cpp: damages the header of a safetensors file, but leaves its stated
// length right, so that the damage reaches what is behind the first check.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

extern "C" {

std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                    unsigned seed) {
  std::uint64_t length = 0;
  constexpr std::size_t start = sizeof length;
  if (size > start) std::memcpy(&length, data, start);
  if (size <= start || length > size - start || seed % 4 == 0)
    return LLVMFuzzerMutate(data, size, max_size);
  const std::vector<std::uint8_t> rest(data + start + length, data + size);
  length = LLVMFuzzerMutate(data + start, length, max_size - start - rest.size());
  std::memcpy(data, &length, start);
  if (!rest.empty()) std::memcpy(data + start + length, rest.data(), rest.size());
  return start + length + rest.size();
}

}  // extern "C"
