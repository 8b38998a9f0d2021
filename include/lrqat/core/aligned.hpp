// SPDX-License-Identifier: MIT
// core/aligned.hpp: vectors whose first element starts on a cache line.
#ifndef LRQAT_CORE_ALIGNED_HPP
#define LRQAT_CORE_ALIGNED_HPP

#include <cstddef>
#include <new>
#include <vector>

namespace lrqat {

template <class T>
struct CacheLineAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};

  CacheLineAllocator() = default;
  template <class U>
  constexpr CacheLineAllocator(const CacheLineAllocator<U>&) {}

  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T), alignment));
  }
  void deallocate(T* data, std::size_t) { ::operator delete(data, alignment); }
  bool operator==(const CacheLineAllocator&) const = default;
};

template <class T>
using AlignedVector = std::vector<T, CacheLineAllocator<T>>;

}  // namespace lrqat

#endif  // LRQAT_CORE_ALIGNED_HPP
