// SPDX-License-Identifier: MIT
// storage/dense.hpp: the base in a floating-point type.
#ifndef LRQAT_STORAGE_DENSE_HPP
#define LRQAT_STORAGE_DENSE_HPP

#include <lrqat/concept/storage.hpp>
#include <lrqat/core/bf16.hpp>
#include <lrqat/core/config.hpp>        // LRQAT_INLINE
#include <lrqat/kernel/vectorised.hpp>  // for_each_lane

#include <cstring>
#include <type_traits>

namespace lrqat {

/// phi = a cast: Dense<float> keeps the base as it is, Dense<bf16> rounds it to nearest even.
/// Nothing is clipped, so the base may lie outside the grid (lr-qat, section 1.3).
template <class T>
struct Dense {
  static_assert(std::is_same_v<T, float> || std::is_same_v<T, bf16>,
                "Dense<T>: T is float or lrqat::bf16.");
  using policy_kind = kind::storage;

  template <Grid>
  struct bound_to {
    static constexpr bool keeps_reals = true;
    static constexpr std::size_t bytes_per_row(std::size_t in) { return in * sizeof(T); }

    static void encode(std::span<const float> values, float, std::byte* row, std::size_t first) {
      for (std::size_t j = 0; j < values.size(); ++j) {
        const T value(values[j]);
        std::memcpy(row + (first + j) * sizeof(T), &value, sizeof(T));
      }
    }
    LRQAT_INLINE static void decode(const std::byte* row, std::size_t first, float,
                                    std::span<float> values) {
      kernel::for_each_lane(values.size(), [=, to = values.data()](std::size_t j) {
        T value;
        std::memcpy(&value, row + (first + j) * sizeof(T), sizeof(T));
        to[j] = static_cast<float>(value);
      });
    }
  };
};

}  // namespace lrqat

#endif  // LRQAT_STORAGE_DENSE_HPP
