// SPDX-License-Identifier: MIT
// train/teacher_intervention.hpp: a training step in which blocks work on their teacher's signals.
#ifndef LRQAT_TRAIN_TEACHER_INTERVENTION_HPP
#define LRQAT_TRAIN_TEACHER_INTERVENTION_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/kernel/clear.hpp>
#include <lrqat/nn/attention_scores.hpp>
#include <lrqat/nn/block_guide.hpp>
#include <lrqat/nn/block_signals.hpp>
#include <lrqat/nn/distillation.hpp>
#include <lrqat/nn/llama.hpp>
#include <lrqat/nn/rows.hpp>  // Buffer, copy_to
#include <lrqat/nn/squared_distance.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

namespace lrqat {

/// Which signal of each block is the teacher's.
enum class Intervention {
  none,
  map,      // the probabilities of attention, whose values stay the student's
  context,  // what attention gives
  output    // what the layer behind it gives, before the residual stream is added
};

/// Gradual intervention: output in the first sixth of `steps`, context up to the third, then the
/// map; from `steps` on none.
/// @param step  steps done
inline Intervention gradual_intervention(std::uint64_t step, std::uint64_t steps) {
  if (step >= steps) return Intervention::none;
  if (step * 6 < steps) return Intervention::output;
  return step * 3 < steps ? Intervention::context : Intervention::map;
}

/// Weights of what is added to the divergence of the logits: mean squared differences between
/// student and teacher, summed over the blocks. The published code adds all three as they are.
struct InterventionLosses {
  double hidden = 1;  // of the blocks' outputs
  double middle = 1;  // of the residual stream after attention
  double scores = 1;  // of attention's scaled scores, before softmax, of pairs that see each other
};

/// Teacher Intervention (Kim et al., arXiv 2302.11812): a MicroStep (train/trainer.hpp) in which
/// what a block has from a float teacher of the same shape takes the place of its own signal, so
/// that errors of quantized blocks below do not reach it. No gradient passes the intervened point.
/// The scores that the loss sees are always the student's; while the teacher intervenes their
/// gradient ends at the layers of query and key.
///
/// The paper is about encoders: its mean of scores is over all pairs, and its distances are taken
/// behind the norms that follow, which here stand before the next layer. The embeddings are not
/// compared. It refers to both models; a step refuses one that has a guide.
template <class Student, class Teacher>
requires std::same_as<typename Student::scalar, typename Teacher::scalar>
class TeacherIntervention : private BlockGuide<typename Student::scalar> {
 public:
  using T = typename Student::scalar;

  /// @param when  asked at each batch; AdamW::steps() tells a resumed run where it is
  /// Errors: models of different shapes; a weight that is negative or not finite.
  TeacherIntervention(Llama<Student>& student, Llama<Teacher>& teacher,
                      std::function<Intervention()> when, InterventionLosses losses = {})
      : student_(student),
        teacher_(teacher),
        when_(std::move(when)),
        losses_(losses),
        wanted_(teacher.config().layers),
        own_heads_(student.config().layers) {
    const LlamaConfig &own = student.config(), &other = teacher.config();
    expects(own.dim == other.dim && own.layers == other.layers && own.heads == other.heads &&
                own.kv_heads == other.kv_heads && own.head_dim == other.head_dim &&
                own.vocab == other.vocab,
            "TeacherIntervention: the student has ", own.layers, " blocks of dim ", own.dim, ", ",
            own.heads, " heads of ", own.head_dim, " and ", own.vocab, " tokens, the teacher ",
            other.layers, " of ", other.dim, ", ", other.heads, " of ", other.head_dim, " and ",
            other.vocab);
    for (const double weight : {losses.hidden, losses.middle, losses.scores})
      expects(std::isfinite(weight) && weight >= 0, "TeacherIntervention: the weight of a loss is ",
              weight, "; it must not be negative");
  }

  double operator()(std::span<const std::uint16_t> inputs, std::span<const std::uint16_t>,
                    std::size_t batch, std::size_t length, float gradient_scale) {
    now_ = when_();
    factor_ = static_cast<double>(gradient_scale);
    own_loss_ = 0;
    wanted_.keep({.heads = now_ == Intervention::map || losses_.scores > 0,
                  .context = now_ == Intervention::context,
                  .output = now_ == Intervention::output,
                  .streams = losses_.hidden > 0 || losses_.middle > 0});
    const MatrixView<const T> hidden = wanted_.hidden(teacher_, inputs, batch, length);
    const double each = factor_ / static_cast<double>(inputs.size());
    const Guided guided(student_, *this);
    expects(guided.before() == nullptr, "TeacherIntervention: the student has a guide already");
    const double divergence = student_.loss_and_gradients_by(
        [&](MatrixView<T> logits, std::size_t first, std::span<double> losses) {
          const MatrixView<T> wanted = logits_.shaped(logits.rows, logits.cols);
          teacher_.project(hidden.block(first, 0, logits.rows, hidden.cols), wanted);
          distillation_with_gradient<T>(logits, wanted, 1.0, each, losses);
        },
        inputs, batch, length);
    return divergence + own_loss_;
  }

 private:
  struct Heads {
    MatrixCopy<T> query, key;
  };

  void heads(std::size_t block, const BlockTape<T>& tape) override {
    if (now_ != Intervention::map) return;
    if (losses_.scores > 0) {
      own_heads_[block].query.take(tape.query);
      own_heads_[block].key.take(tape.key);
    }
    copy_to<T>(wanted_[block].query.view(), tape.query);
    copy_to<T>(wanted_[block].key.view(), tape.key);
  }
  void context(std::size_t block, const BlockTape<T>& tape) override {
    if (now_ == Intervention::context) copy_to<T>(wanted_[block].context.view(), tape.attended);
  }
  void output(std::size_t block, MatrixView<T> y) override {
    if (now_ == Intervention::output) copy_to<T>(wanted_[block].output.view(), y);
  }

  void stream_backward(std::size_t block, MatrixView<const T> stream, MatrixView<T> grad) override {
    add_distance(losses_.hidden, stream, wanted_[block].stream.view(), grad);
  }
  void middle_backward(std::size_t block, const BlockTape<T>& tape, MatrixView<T> grad) override {
    add_distance(losses_.middle, tape.middle, wanted_[block].middle.view(), grad);
  }
  void output_backward(std::size_t, MatrixView<T> grad) override {
    if (now_ == Intervention::output) kernel::clear(grad);
  }
  void context_backward(std::size_t, const BlockTape<T>&, MatrixView<T> grad) override {
    if (now_ == Intervention::context) kernel::clear(grad);
  }
  void heads_backward(std::size_t block, const BlockTape<T>& tape, MatrixView<T> grad_query,
                      MatrixView<T> grad_key) override {
    const bool replaced = now_ == Intervention::map;
    if (replaced) {
      kernel::clear(grad_query);
      kernel::clear(grad_key);
    }
    if (losses_.scores == 0) return;
    own_loss_ +=
        losses_.scores * score_distance<T>(tape.shape,
                                           replaced ? own_heads_[block].query.view() : tape.query,
                                           replaced ? own_heads_[block].key.view() : tape.key,
                                           wanted_[block].query.view(), wanted_[block].key.view(),
                                           losses_.scores * factor_, grad_query, grad_key);
  }
  void heads_input_backward(std::size_t, MatrixView<T> grad) override {
    if (now_ != Intervention::none) kernel::clear(grad);
  }

  /// The weighted mean of (own - wanted)^2 and its gradients.
  void add_distance(double weight, MatrixView<const T> own, MatrixView<const T> wanted,
                    MatrixView<T> grad) {
    if (weight == 0 || own.shape().size() == 0) return;
    const double share = weight / static_cast<double>(own.shape().size());
    own_loss_ += share * add_squared_distance<T>(own, wanted, share * factor_, grad);
  }

  Llama<Student>& student_;
  Llama<Teacher>& teacher_;
  std::function<Intervention()> when_;
  InterventionLosses losses_;
  BlockSignals<T> wanted_;        // the teacher's
  std::vector<Heads> own_heads_;  // of each block, where the teacher's stand in their place
  Buffer<T> logits_;
  Intervention now_ = Intervention::none;
  double factor_ = 0, own_loss_ = 0;
};

}  // namespace lrqat

#endif  // LRQAT_TRAIN_TEACHER_INTERVENTION_HPP
