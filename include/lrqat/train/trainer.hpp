// SPDX-License-Identifier: MIT
// train/trainer.hpp: the training loop: accumulate, clip, update, log, checkpoint, resume.
#ifndef LRQAT_TRAIN_TRAINER_HPP
#define LRQAT_TRAIN_TRAINER_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/optim/adamw.hpp>
#include <lrqat/optim/clip.hpp>
#include <lrqat/optim/schedule.hpp>
#include <lrqat/train/checkpoint.hpp>
#include <lrqat/train/step_log.hpp>
#include <lrqat/train/step_report.hpp>
#include <lrqat/train/token_batches.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <type_traits>
#include <vector>

namespace lrqat {

/// Whether a run continues from the checkpoint that it finds.
enum class Resume { if_present, never, required };

/// A training run. Its files are optional: an empty path means none.
struct TrainPlan {
  std::uint64_t steps = 0;
  std::size_t accumulation = 1;  // batches whose gradients make one step
  std::function<double(std::uint64_t step)> schedule = ConstantSchedule{};  // of steps done
  std::function<void()> after_step{};  // the model's, where it has one: after each update, and after
                                       // a checkpoint is read
  double max_norm = std::numeric_limits<double>::infinity();  // of all gradients together
  /// Called with the number of steps done when a step's gradients are complete and before they are
  /// clipped: for regularisers, gates and filters of gradients. What it remembers between steps is
  /// no part of a checkpoint but for `kept`; let it follow from the step and the parameters alone.
  std::function<void(std::uint64_t step)> before_update{};
  /// What else a checkpoint holds and a resumed run reads back, such as ScaleFreezing::kept(): its
  /// spans must outlive the call.
  std::vector<KeptNumbers> kept{};
  std::filesystem::path checkpoint{};
  std::uint64_t checkpoint_every = 0;  // steps; 0: only at the end and when asked to stop
  Resume resume = Resume::if_present;
  std::string fingerprint{};    // see save_checkpoint
  std::filesystem::path log{};  // see StepLog
};

/// Called from the loop, on its thread. Each may be empty.
struct TrainObserver {
  std::function<void(const StepReport&)> on_step{};
  /// After the checkpoint of `step` is safely in its place.
  std::function<void(std::uint64_t step, const std::filesystem::path&)> on_checkpoint{};
  /// Before the first step of a run that continues at `step` (steps done).
  std::function<void(std::uint64_t step)> on_resume{};
};

struct TrainResult {
  std::uint64_t steps = 0;  // done in all, also by earlier processes
  bool stopped = false;     // on request, before the end
  double last_loss = std::numeric_limits<double>::quiet_NaN();  // NaN: this call made no step
  double seconds = 0;                                           // of all steps
  std::uint64_t tokens = 0;                                     // trained on by this call
  double tokens_per_second = 0;                                 // of this call
};

/// The loss and gradients of one batch: returns the mean loss over its batch * length targets and
/// adds gradient_scale times the gradient of that mean to the parameters' gradients.
template <class F, class Id>
concept MicroStep = requires(F f, std::span<const Id> tokens, std::size_t batch, std::size_t length,
                             float gradient_scale) {
  { f(tokens, tokens, batch, length, gradient_scale) } -> std::convertible_to<double>;
};

namespace detail {

/// One call of train: what its steps share.
template <class Id, class Step>
class TrainingRun {
 public:
  TrainingRun(const TrainPlan& plan, TokenBatches<Id>& batches, AdamW& optimizer, Step& micro_step,
              const TrainObserver& observer, const std::atomic<bool>* stop)
      : plan_(plan),
        batches_(batches),
        optimizer_(optimizer),
        micro_step_(micro_step),
        observer_(observer),
        stop_(stop),
        inputs_(batches.batch() * batches.length()),
        targets_(inputs_.size()) {
    expects(plan.steps >= 1 && plan.accumulation >= 1, "train: ", plan.steps, " steps of ",
            plan.accumulation, " batches; neither may be 0");
    expects(plan.checkpoint_every == 0 || !plan.checkpoint.empty(), "train: a checkpoint every ",
            plan.checkpoint_every, " steps is asked for, but no file is named");
  }

  TrainResult operator()() {
    resume();
    if (!plan_.log.empty()) log_.emplace(plan_.log, progress_.step);
    start_ = clock::now();
    TrainResult result;
    while (progress_.step < plan_.steps) {
      const std::optional<StepReport> report = step_or_error();
      if (!report) {
        result.stopped = true;
        break;
      }
      result.last_loss = report->loss;
      if (log_) log_->append(*report);
      if (observer_.on_step) observer_.on_step(*report);
      if (plan_.checkpoint_every != 0 && progress_.step % plan_.checkpoint_every == 0) save();
    }
    if (!plan_.checkpoint.empty() && saved_at_ != progress_.step) save();
    result.steps = progress_.step;
    result.seconds = progress_.seconds;
    result.tokens = (progress_.step - first_step_) * tokens_per_step();
    result.tokens_per_second =
        static_cast<double>(result.tokens) / std::max(progress_.seconds - seconds_before_, 1e-9);
    return result;
  }

 private:
  using clock = std::chrono::steady_clock;

  static double seconds_since(clock::time_point start) {
    return std::chrono::duration<double>(clock::now() - start).count();
  }
  std::uint64_t tokens_per_step() const { return inputs_.size() * plan_.accumulation; }

  void resume() {
    std::error_code absent;
    const bool present =
        !plan_.checkpoint.empty() && std::filesystem::exists(plan_.checkpoint, absent);
    expects(present || plan_.resume != Resume::required, "train: there is no checkpoint '",
            plan_.checkpoint.string(), "' to resume from");
    if (!present || plan_.resume == Resume::never) return;
    progress_ = restore_checkpoint(plan_.checkpoint, plan_.fingerprint, optimizer_, plan_.kept);
    if (plan_.after_step) plan_.after_step();
    expects(progress_.step <= plan_.steps, plan_.checkpoint.string(),
            ": the checkpoint is at step ", progress_.step, ", the run has only ", plan_.steps);
    first_step_ = progress_.step;
    seconds_before_ = progress_.seconds;
    saved_at_ = progress_.step;
    if (observer_.on_resume) observer_.on_resume(progress_.step);
  }

  void save() {
    save_checkpoint(plan_.checkpoint, plan_.fingerprint, progress_, optimizer_, plan_.kept);
    saved_at_ = progress_.step;
    if (observer_.on_checkpoint) observer_.on_checkpoint(progress_.step, plan_.checkpoint);
  }

  std::optional<StepReport> step_or_error() {
    try {
      return step();
    } catch (const Error& error) {
      fail("training step ", progress_.step + 1, " of ", plan_.steps, ": ", error.what());
    }
  }

  /// Nothing where a stop was asked for before the update.
  std::optional<StepReport> step() {
    const clock::time_point step_start = clock::now();
    const float gradient_scale = 1.0f / static_cast<float>(plan_.accumulation);
    optimizer_.zero_gradients();
    double loss = 0;
    for (std::size_t part = 0; part < plan_.accumulation; ++part) {
      if (stop_ != nullptr && stop_->load()) return std::nullopt;
      batches_.fill(progress_.step * plan_.accumulation + part, std::span<Id>(inputs_),
                    std::span<Id>(targets_));
      loss += micro_step_(std::span<const Id>(inputs_), std::span<const Id>(targets_),
                          batches_.batch(), batches_.length(), gradient_scale);
    }
    loss /= static_cast<double>(plan_.accumulation);
    expects(std::isfinite(loss), "the loss is ", loss);
    if (plan_.before_update) plan_.before_update(progress_.step);
    const double norm = clip_gradients(optimizer_.parameters(), plan_.max_norm);
    const double factor = plan_.schedule(progress_.step);
    optimizer_.step(factor);
    if (plan_.after_step) plan_.after_step();
    ++progress_.step;
    const double spent = seconds_since(start_);
    progress_.seconds = seconds_before_ + spent;
    return StepReport{.step = progress_.step,
                      .steps = plan_.steps,
                      .loss = loss,
                      .rate_factor = factor,
                      .grad_norm = norm,
                      .tokens_per_second = static_cast<double>(tokens_per_step()) /
                                           std::max(seconds_since(step_start), 1e-9),
                      .seconds = progress_.seconds,
                      .seconds_left = spent / static_cast<double>(progress_.step - first_step_) *
                                      static_cast<double>(plan_.steps - progress_.step)};
  }

  const TrainPlan& plan_;
  TokenBatches<Id>& batches_;
  AdamW& optimizer_;
  Step& micro_step_;
  const TrainObserver& observer_;
  const std::atomic<bool>* stop_;
  std::vector<Id> inputs_, targets_;  // (batch, length)
  Progress progress_;
  std::uint64_t first_step_ = 0;  // of this call
  double seconds_before_ = 0;     // spent by earlier ones
  std::optional<std::uint64_t> saved_at_;
  std::optional<StepLog> log_;
  clock::time_point start_;
};

}  // namespace detail

/// Runs `plan` to its end, or until `*stop`.
///
/// Step t (from 0) takes batches t * accumulation and following, so that its bits depend on the
/// parameters, the moments and t alone; a run that is killed and started again ends with the bits
/// of one that was not. An error (a loss or a gradient that is not finite, a full disk) names its
/// step and leaves the last checkpoint as it was. A request to stop is obeyed after the batch in
/// work: a step begun is given up, and the checkpoint holds the last whole one.
///
/// @param batches     reads the stream; nothing of it needs to be saved
/// @param micro_step  see MicroStep: (inputs, targets, batch, length, gradient_scale) -> loss
/// @param stop        may be null; set from another thread or from a signal handler
/// @pre   plan.steps >= 1, plan.accumulation >= 1
template <std::integral Id, MicroStep<Id> Step>
TrainResult train(const TrainPlan& plan, TokenBatches<Id>& batches, AdamW& optimizer,
                  Step&& micro_step, const TrainObserver& observer = {},
                  const std::atomic<bool>* stop = nullptr) {
  return detail::TrainingRun<Id, std::remove_reference_t<Step>>(plan, batches, optimizer,
                                                                micro_step, observer, stop)();
}

}  // namespace lrqat

#endif  // LRQAT_TRAIN_TRAINER_HPP
