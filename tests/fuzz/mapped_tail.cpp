// SPDX-License-Identifier: MIT
// tests/fuzz/mapped_tail.cpp: a mapped file ends at its last byte, not at the end of its page.
//
// Linked with --wrap=mmap,--wrap=munmap: without it, reading a few bytes too far reads zeros.
#include <sanitizer/asan_interface.h>

#include <cstddef>

#include <sys/mman.h>

namespace {

constexpr std::size_t page = 4096;

std::size_t tail_of(std::size_t size) { return (page - size % page) % page; }

}  // namespace

extern "C" {

void* __real_mmap(void* where, std::size_t size, int protection, int flags, int file, off_t offset);
int __real_munmap(void* start, std::size_t size);

void* __wrap_mmap(void* where, std::size_t size, int protection, int flags, int file,
                  off_t offset) {
  void* const start = __real_mmap(where, size, protection, flags, file, offset);
  if (start != MAP_FAILED)
    ASAN_POISON_MEMORY_REGION(static_cast<char*>(start) + size, tail_of(size));
  return start;
}

int __wrap_munmap(void* start, std::size_t size) {
  ASAN_UNPOISON_MEMORY_REGION(static_cast<char*>(start) + size, tail_of(size));
  return __real_munmap(start, size);
}

}  // extern "C"
