// SPDX-License-Identifier: MIT
// train/scale_freezing.hpp: scales rest while their gradients keep their direction.
#ifndef LRQAT_TRAIN_SCALE_FREEZING_HPP
#define LRQAT_TRAIN_SCALE_FREEZING_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/optim/gradient_disorder.hpp>
#include <lrqat/train/checkpoint.hpp>  // KeptNumbers

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace lrqat {

/// What a frozen scale does without until the next check.
enum class Frozen {
  task_gradient,  // of its two gradients the task's; it goes on with that of flatness
  scale           // all of its gradient and every update: it keeps its bits
};

/// The source's window and threshold are not public; these are ours.
struct ScaleFreezingOptions {
  std::uint64_t every = 50;   // steps from check to check
  std::uint64_t window = 50;  // the last of them, whose gradients count; 2 ... every
  double threshold = 0.3;     // a scale of less disorder is frozen; by chance it would have 0.5
  Frozen frozen = Frozen::task_gradient;
};

/// The gradient filter of GAQAT (Jiang et al., arXiv 2412.05551) for a training with two gradients:
/// it watches the direction of the task's gradient of each scale, and after every `every` steps
/// freezes those whose disorder was below the threshold, until the next check. Each scale of a
/// granularity is judged alone, where the paper has one a layer. A frozen scale is watched like the
/// others. The moments of a scale that keeps its bits see gradients of 0.
///
/// Its three calls belong to SharpnessAware::task_gradients and the hooks of a TrainPlan; kept()
/// makes a resumed run the same. One object serves one call of train().
class ScaleFreezing {
 public:
  /// @param parameters  of which those of Role::scale are taken; must outlive it
  /// Errors: no scale among them; options out of range.
  explicit ScaleFreezing(const Parameters<float>& parameters, ScaleFreezingOptions options = {})
      : options_(options), disorder_(0) {
    expects(options.every >= 2 && options.window >= 2 && options.window <= options.every,
            "ScaleFreezing: a window of ", options.window, " in ", options.every,
            " steps; 2 steps or more have a turn, and no more than all can count");
    expects(options.threshold >= 0 && options.threshold <= 1, "ScaleFreezing: the threshold is ",
            options.threshold, "; disorder lies in 0 ... 1");
    std::size_t size = 0;
    for (const Parameter<float>& each : parameters)
      if (each.role == Role::scale) {
        scales_.push_back(each);
        size += each.value.size();
      }
    expects(size > 0, "ScaleFreezing: none of the parameters is a scale");
    disorder_ = GradientDisorder(size);
    frozen_.resize(size);
    task_.resize(size);
  }

  ScaleFreezing(const ScaleFreezing&) = delete;  // kept() refers to it
  ScaleFreezing& operator=(const ScaleFreezing&) = delete;

  /// Call it when the gradients are the task's of one batch alone: it remembers them and sets those
  /// of frozen scales to 0.
  void task_gradients() {
    for_each([this](std::size_t i, float&, float& gradient) {
      task_[i] += gradient;
      if (frozen_[i] != 0) gradient = 0;
    });
  }

  /// Call it before the update of step `step` (steps done).
  void before_update(std::uint64_t step) {
    const std::uint64_t in_period = step % options_.every;
    if (in_period + options_.window >= options_.every) disorder_.observe(task_);
    std::fill(task_.begin(), task_.end(), 0.0f);
    resting_.clear();
    if (options_.frozen == Frozen::scale)
      for_each([this](std::size_t i, float& value, float& gradient) {
        if (frozen_[i] == 0) return;
        gradient = 0;
        resting_.emplace_back(i, value);
      });
    if (in_period + 1 < options_.every) return;
    for (std::size_t i = 0; i < frozen_.size(); ++i)
      frozen_[i] = disorder_.of(i) < options_.threshold ? 1.0f : 0.0f;
    disorder_.forget();
  }

  /// Call it after the update, before the layers follow their parameters.
  void after_step() {
    auto next = resting_.begin();
    for_each([&](std::size_t i, float& value, float&) {
      if (next == resting_.end() || next->first != i) return;
      value = next->second;
      ++next;
    });
    resting_.clear();
  }

  /// 1 for each scale that is frozen now, else 0, in the order of the parameters.
  std::span<const float> frozen() const { return frozen_; }
  std::size_t frozen_count() const {
    return static_cast<std::size_t>(std::count(frozen_.begin(), frozen_.end(), 1.0f));
  }

  /// For TrainPlan::kept.
  std::vector<KeptNumbers> kept() {
    return {{"frozen_scales", frozen_}, {"gradient_disorder", disorder_.numbers()}};
  }

 private:
  /// f(index, value, gradient) for each scale.
  template <class F>
  void for_each(const F& f) {
    std::size_t i = 0;
    for (const Parameter<float>& each : scales_)
      for (std::size_t j = 0; j < each.value.size(); ++j) f(i++, each.value[j], each.gradient[j]);
  }

  ScaleFreezingOptions options_;
  Parameters<float> scales_;
  GradientDisorder disorder_;
  AlignedVector<float> frozen_, task_;                  // one for each scale
  std::vector<std::pair<std::size_t, float>> resting_;  // values to come back to, by index
};

}  // namespace lrqat

#endif  // LRQAT_TRAIN_SCALE_FREEZING_HPP
