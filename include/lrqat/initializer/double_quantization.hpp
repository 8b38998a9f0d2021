// SPDX-License-Identifier: MIT
// initializer/double_quantization.hpp: scales that are quantized themselves, as in QLoRA.
#ifndef LRQAT_INITIALIZER_DOUBLE_QUANTIZATION_HPP
#define LRQAT_INITIALIZER_DOUBLE_QUANTIZATION_HPP

#include <lrqat/concept/initializer.hpp>
#include <lrqat/core/numeric.hpp>  // unfused_product

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace lrqat {

/// The 256 numbers of bitsandbytes' dynamic map (signed, 7 exponent bits), ascending: for i = 0 ..
/// 6 the 2^i midpoints of equal parts of [0.1, 1], times 10^(i-6), with both signs; 0, and 1
/// without its negative. Here in double, rounded once; the published map is computed in float32 and
/// differs by units in the last place.
inline const std::array<float, 256>& dynamic_map() {
  static const std::array<float, 256> map = [] {
    std::array<float, 256> values{};  // values[0] stays 0
    std::size_t count = 1;
    values[count++] = 1.0f;
    double power = 1e-6;
    for (int i = 0; i < 7; ++i, power *= 10) {
      const int parts = 1 << i;
      for (int k = 0; k < parts; ++k) {
        const auto value = static_cast<float>(power * (0.1 + 0.9 * (k + 0.5) / parts));
        values[count++] = value;
        values[count++] = -value;
      }
    }
    std::sort(values.begin(), values.end());
    return values;
  }();
  return map;
}

/// The nearest number of the dynamic map, the lower of two equally near ones.
/// @pre value is within -1 .. 1
inline float nearest_in_dynamic_map(float value) {
  const auto& map = dynamic_map();
  const auto above = std::lower_bound(map.begin(), map.end(), value);
  if (above == map.begin()) return *above;
  if (above == map.end()) return map.back();
  return value - *(above - 1) <= *above - value ? *(above - 1) : *above;
}

/// Scales share a further scale in runs of this many.
inline constexpr std::size_t double_quantization_block = 256;

/// Double quantization (Dettmers et al., QLoRA, arXiv 2305.14314): each scale, in layout order,
/// becomes mean + m * c with the mean of all, m the largest |scale - mean| of its run of 256 and c
/// in the dynamic map. bitsandbytes rounds weights by the exact scales and only then the scales:
///
///   Layer layer(weight);
///   double_quantize(layer.weight().scales());  // codes stay
///
/// A group's extreme is then no longer exact. Other than there no scale ends below scale_floor.
/// @pre scales are finite
inline void double_quantize(std::span<float> scales) {
  if (scales.empty()) return;
  double sum = 0;
  for (const float scale : scales) sum += static_cast<double>(scale);
  const auto mean = static_cast<float>(sum / static_cast<double>(scales.size()));
  for (std::size_t first = 0; first < scales.size(); first += double_quantization_block) {
    const auto run =
        scales.subspan(first, std::min(double_quantization_block, scales.size() - first));
    float most = 0.0f;
    for (const float scale : run) most = std::max(most, std::fabs(scale - mean));
    for (float& scale : run) {
      const float code = most > 0.0f ? nearest_in_dynamic_map((scale - mean) / most) : 0.0f;
      scale = std::max(mean + unfused_product(most, code), scale_floor);
    }
  }
}

/// The same for scales that a layer is yet to be built on, so that its codes are nearest for the
/// scales that are used. Zero points stay.
inline std::vector<QParams> double_quantized(std::span<const QParams> qparams) {
  std::vector<float> scales;
  for (const QParams& each : qparams) scales.push_back(each.scale);
  double_quantize(scales);
  std::vector<QParams> rounded(qparams.begin(), qparams.end());
  for (std::size_t i = 0; i < rounded.size(); ++i) rounded[i].scale = scales[i];
  return rounded;
}

/// Bits a weight takes: its code, 8 bits of each group's scale, 32 of each run's, 32 of the mean.
/// NF4 in groups of 64: 4.127 for large weights; with float32 scales 4.5.
inline double double_quantized_bits_per_weight(int code_bits, std::size_t weights,
                                               std::size_t groups) {
  const std::size_t runs = (groups + double_quantization_block - 1) / double_quantization_block;
  return code_bits +
         static_cast<double>(8 * groups + 32 * runs + 32) / static_cast<double>(weights);
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_DOUBLE_QUANTIZATION_HPP
