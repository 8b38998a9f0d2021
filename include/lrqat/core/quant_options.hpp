// SPDX-License-Identifier: MIT
// core/quant_options.hpp: the numbers of a scheme that are chosen at run time.
#ifndef LRQAT_CORE_QUANT_OPTIONS_HPP
#define LRQAT_CORE_QUANT_OPTIONS_HPP

#include <cstddef>
#include <cstdint>

namespace lrqat {

/// See scale_format/any_scale.hpp.
enum class ScaleType { float32, fp16 };

struct QuantOptions {
  float alpha = 1.0f;          // adapter gain: alpha / rank of LowRank, alpha of SparseHadamard
  std::size_t rank = 0;        // read by LowRank<dynamic> and SparseHadamard<dynamic> only
  std::size_t group_size = 0;  // read by PerGroup<dynamic> only
  ScaleType scale_type = ScaleType::float32;  // read by AnyScale only
  std::uint64_t seed = 0;      // of every random initial value
  std::uint64_t stream = 0;    // tells the layers of one model apart
};

}  // namespace lrqat

#endif  // LRQAT_CORE_QUANT_OPTIONS_HPP
