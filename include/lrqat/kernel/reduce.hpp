// SPDX-License-Identifier: MIT
// kernel/reduce.hpp: sums and extremes over a row, in an order that allows vector instructions.
#ifndef LRQAT_KERNEL_REDUCE_HPP
#define LRQAT_KERNEL_REDUCE_HPP

#include <lrqat/core/config.hpp>  // LRQAT_INLINE, LRQAT_INLINE_LAMBDA, LRQAT_PARTIALS

#include <cstddef>
#include <cstdint>

namespace lrqat::kernel {

/// The sum of term(i) over [0, count), in Sum: 16 partial sums, number i going to partial i % 16,
/// folded in halves. The order is part of the contract; for use inside vectorised().
template <class Sum, class Term>
LRQAT_INLINE Sum sum_over(std::size_t count, Term term) {
  constexpr std::size_t lanes = 16;
  Sum partial[lanes] = {};
  std::size_t first = 0;
  for (; first + lanes <= count; first += lanes) {
    LRQAT_PARTIALS
    for (std::size_t lane = 0; lane < lanes; ++lane)
      partial[lane] += static_cast<Sum>(term(first + lane));
  }
  for (std::size_t lane = 0; first + lane < count; ++lane)
    partial[lane] += static_cast<Sum>(term(first + lane));
  for (std::size_t half = lanes / 2; half > 0; half /= 2)
    for (std::size_t lane = 0; lane < half; ++lane) partial[lane] += partial[lane + half];
  return partial[0];
}

/// The sum of bytes, below 2^31. For use inside vectorised().
LRQAT_INLINE std::int32_t sum_of_bytes(const std::uint8_t* bytes, std::size_t count) {
  constexpr std::size_t lanes = 64, quarter = 16;
  constexpr std::size_t rounds = 257;  // 257 times 255 is the largest number of 16 bits
  std::int32_t sum = 0;
  while (count >= lanes) {
    std::uint16_t partial[lanes] = {};
    for (std::size_t round = 0; round < rounds && count >= lanes; ++round) {
      LRQAT_PARTIALS
      for (std::size_t lane = 0; lane < lanes; ++lane)
        partial[lane] = static_cast<std::uint16_t>(partial[lane] + bytes[lane]);
      bytes += lanes;
      count -= lanes;
    }
    LRQAT_PARTIALS
    for (std::size_t lane = 0; lane < lanes; ++lane) sum += partial[lane];
  }
  for (; count >= quarter; bytes += quarter, count -= quarter) {
    LRQAT_PARTIALS
    for (std::size_t lane = 0; lane < quarter; ++lane) sum += bytes[lane];
  }
  for (; count != 0; --count) sum += *bytes++;
  return sum;
}

/// The largest of values[0, count), count >= 1; NaNs are passed over unless all are NaN.
template <class T>
LRQAT_INLINE T max_over(const T* values, std::size_t count) {
  constexpr std::size_t lanes = 16;
  T largest[lanes];
  for (std::size_t lane = 0; lane < lanes; ++lane) largest[lane] = values[lane < count ? lane : 0];
  std::size_t first = 0;
  for (; first + lanes <= count; first += lanes) {
    LRQAT_PARTIALS
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const T value = values[first + lane], before = largest[lane];
      largest[lane] = before >= value ? before : value;
    }
  }
  for (; first < count; ++first)
    largest[0] = largest[0] >= values[first] ? largest[0] : values[first];
  T result = largest[0];
  for (std::size_t lane = 1; lane < lanes; ++lane)
    result = result >= largest[lane] ? result : largest[lane];
  return result;
}

/// The smallest and the largest of some numbers.
template <class T>
struct Extremes {
  T low, high;
};

/// The smallest and the largest of `all` and values[0, count), of which NaNs are passed over. For
/// use inside vectorised().
template <class T>
LRQAT_INLINE Extremes<T> extremes_over(const T* values, std::size_t count, Extremes<T> all) {
  constexpr std::size_t lanes = 16;
  const auto join = [&](T low, T high) LRQAT_INLINE_LAMBDA {
    all.low = low < all.low ? low : all.low;
    all.high = all.high < high ? high : all.high;
  };
  std::size_t first = 0;
  if (count >= lanes) {
    T lows[lanes], highs[lanes];
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      lows[lane] = all.low;
      highs[lane] = all.high;
    }
    for (; first + lanes <= count; first += lanes) {
      const T* const block = values + first;
      LRQAT_PARTIALS
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const T value = block[lane];
        lows[lane] = value < lows[lane] ? value : lows[lane];
        highs[lane] = highs[lane] < value ? value : highs[lane];
      }
    }
    for (std::size_t lane = 0; lane < lanes; ++lane) join(lows[lane], highs[lane]);
  }
  for (; first < count; ++first) join(values[first], values[first]);
  return all;
}

}  // namespace lrqat::kernel

#endif  // LRQAT_KERNEL_REDUCE_HPP
