// SPDX-License-Identifier: MIT
// examples/lab/counted_new.hpp: replaces every operator new and delete of a program by one that
// counts. Include it in one source file of the program, which defines the two functions below.
#ifndef LRQAT_LAB_COUNTED_NEW_HPP
#define LRQAT_LAB_COUNTED_NEW_HPP

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

#include <malloc.h>

/// Called with the usable size of each block that is taken or given back, from any thread.
namespace counted {

void on_new(std::size_t size);
void on_delete(std::size_t size);

inline void* taken(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  on_new(::malloc_usable_size(memory));
  return memory;
}
/// Not inlined: gcc would see free() beside operator new and warn.
[[gnu::noinline]] inline void give_back(void* memory) noexcept {
  if (memory == nullptr) return;
  on_delete(::malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace counted

// All of them: one that is left out would mix its memory with that of the others, which sanitizers
// with allocators of their own refuse.
void* operator new(std::size_t size) { return counted::taken(std::malloc(size + !size)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto step = static_cast<std::size_t>(alignment);
  return counted::taken(
      std::aligned_alloc(step, (std::max<std::size_t>(size, 1) + step - 1) / step * step));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept try {
  return operator new(size);
} catch (...) {
  return nullptr;
}
void* operator new(std::size_t size, std::align_val_t alignment, const std::nothrow_t&) noexcept
    try {
  return operator new(size, alignment);
} catch (...) {
  return nullptr;
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return operator new(size, alignment);
}
void* operator new[](std::size_t size, const std::nothrow_t& tag) noexcept {
  return operator new(size, tag);
}
void* operator new[](std::size_t size, std::align_val_t alignment,
                     const std::nothrow_t& tag) noexcept {
  return operator new(size, alignment, tag);
}
void operator delete(void* memory) noexcept { counted::give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { counted::give_back(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { counted::give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  counted::give_back(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { counted::give_back(memory); }
void operator delete(void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  counted::give_back(memory);
}
void operator delete[](void* memory) noexcept { counted::give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { counted::give_back(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { counted::give_back(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  counted::give_back(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  counted::give_back(memory);
}
void operator delete[](void* memory, std::align_val_t, const std::nothrow_t&) noexcept {
  counted::give_back(memory);
}

#endif  // LRQAT_LAB_COUNTED_NEW_HPP
