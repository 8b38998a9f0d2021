// SPDX-License-Identifier: MIT
// examples/lab/scheme.hpp: a quantization scheme as a value.
#ifndef LRQAT_LAB_SCHEME_HPP
#define LRQAT_LAB_SCHEME_HPP

#include <cstddef>

namespace lrqat::lab {

enum class Method {
  fp32,        // the model as it is
  fp32_tuned,  // its linear layers trained in float32: the control
  rtn,         // round to nearest, nothing trained
  peqa,        // integers frozen, scales trained
  lr_qat,      // low-rank adapter inside the rounding (or in the weight domain), scales trained
  full_qat,    // the weights themselves and the scales trained
};
enum class Sharing { tensor, channel, group };
enum class Base { fixed_point, bf16, fp32, packed };
/// In which arithmetic the large products of a layer run.
enum class ComputeType { fp32, bf16 };
enum class RangeSetter { min_max, full, l2, l2_4, l3, l3_5, l4, l5 };

struct Scheme {
  Method method = Method::fp32;
  int bits = 0;             // 2 ... 8; 0 for fp32
  bool zero_point = false;  // unsigned grid with zero points
  int activation_bits = 0;  // of everything that lr-qat, section 1.10 quantizes: 0 (nothing), 4, 8
  int cache_bits = 0;       // of keys and values as their layers give them: 0, 4, 8
  bool real_zero_points = false;  // of activations; otherwise they are integers
  Sharing sharing = Sharing::channel;
  std::size_t group_size = 0;      // of Sharing::group
  bool channel_where_odd = false;  // per channel where group_size does not divide the row
  Base base = Base::fixed_point;   // of lr_qat
  bool weight_domain = false;      // of lr_qat
  std::size_t rank = 0;            // of lr_qat; 0: not named
  RangeSetter range = RangeSetter::l2;

  bool is_float() const { return method == Method::fp32 || method == Method::fp32_tuned; }
  bool quantizes_activations() const { return activation_bits != 0 || cache_bits != 0; }
  bool trains() const { return method != Method::fp32 && method != Method::rtn; }
  bool operator==(const Scheme&) const = default;
};

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_SCHEME_HPP
