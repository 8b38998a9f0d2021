// SPDX-License-Identifier: MIT
// io/detail/float_bytes.hpp: floats as the bytes of files, in 32 or 16 bits.
#ifndef LRQAT_IO_DETAIL_FLOAT_BYTES_HPP
#define LRQAT_IO_DETAIL_FLOAT_BYTES_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/bf16.hpp>  // half
#include <lrqat/core/expects.hpp>

#include <cmath>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>

namespace lrqat::detail {

/// Each as a T, rounded to the nearest. @throws Error that begins with `name` where a T is infinite
/// or NaN
template <class T>
AlignedVector<std::byte> bytes_of(std::span<const float> values, const std::string& name) {
  AlignedVector<std::byte> bytes(values.size() * sizeof(T));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const T stored(values[i]);
    expects(std::isfinite(static_cast<float>(stored)), name, ": element ", i, " is ", values[i],
            ", no finite number in ", 8 * sizeof(T), " bits");
    std::memcpy(bytes.data() + i * sizeof stored, &stored, sizeof stored);
  }
  return bytes;
}

/// Whether 16 bits hold the number exactly.
inline bool is_half(float value) {
  return std::isfinite(value) && static_cast<float>(half(value)) == value;
}

}  // namespace lrqat::detail

#endif  // LRQAT_IO_DETAIL_FLOAT_BYTES_HPP
