// SPDX-License-Identifier: MIT
// trainable/trainable_set.hpp: which parameters of a layer learn.
#ifndef LRQAT_TRAINABLE_TRAINABLE_SET_HPP
#define LRQAT_TRAINABLE_TRAINABLE_SET_HPP

#include <lrqat/concept/trainable.hpp>

namespace lrqat {

struct AdapterAndScale {
  using policy_kind = kind::trainable;
  static constexpr bool adapter = true, scale = true, bias = false;
};

/// With all that a group shares: its zero point (EfficientQAT) or its offset (LSQ+, L4Q) too.
struct AdapterAndQParams {
  using policy_kind = kind::trainable;
  static constexpr bool adapter = true, scale = true, zero_point = true, offset = true,
                        bias = false;
};

struct ScaleOnly {
  using policy_kind = kind::trainable;
  static constexpr bool adapter = false, scale = true, bias = false;
};

struct QParamsOnly {
  using policy_kind = kind::trainable;
  static constexpr bool adapter = false, scale = true, zero_point = true, offset = true,
                        bias = false;
};

struct AdapterOnly {
  using policy_kind = kind::trainable;
  static constexpr bool adapter = true, scale = false, bias = false;
};

/// All reals; zero points are integers and stay.
struct Everything {
  using policy_kind = kind::trainable;
  static constexpr bool adapter = true, scale = true, offset = true, bias = true;
};

/// The adapter learns, and scales are no parameters: after each update the layer's initializer
/// measures them again from the latent weight (QuEST, LLM-QAT, TWN). Whoever updates the weights
/// calls the layer's after_step(), as train() does.
struct MeasuredScale {
  using policy_kind = kind::trainable;
  static constexpr bool adapter = true, scale = false, bias = false, measures_scale = true;
};

/// The parts of each group's range that its grid is laid over (OmniQuant's learned weight clipping).
struct ClipsOnly {
  using policy_kind = kind::trainable;
  static constexpr bool adapter = false, scale = false, bias = false, clips = true;
};

/// With the adapter, which moves the ranges: whoever updates it calls the layer's after_step(), which
/// measures them again, as train() does.
struct AdapterAndClips {
  using policy_kind = kind::trainable;
  static constexpr bool adapter = true, scale = false, bias = false, clips = true;
};

static_assert(Trainable<AdapterAndScale> && Trainable<AdapterAndQParams> &&
              Trainable<ScaleOnly> && Trainable<QParamsOnly> && Trainable<AdapterOnly> &&
              Trainable<Everything> && Trainable<MeasuredScale> && Trainable<ClipsOnly> &&
              Trainable<AdapterAndClips>);

}  // namespace lrqat

#endif  // LRQAT_TRAINABLE_TRAINABLE_SET_HPP
