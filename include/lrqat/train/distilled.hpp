// SPDX-License-Identifier: MIT
// train/distilled.hpp: a training step that follows a teacher's logits in place of the text.
#ifndef LRQAT_TRAIN_DISTILLED_HPP
#define LRQAT_TRAIN_DISTILLED_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/nn/distillation.hpp>
#include <lrqat/nn/llama.hpp>
#include <lrqat/nn/rows.hpp>  // Buffer

#include <cstddef>
#include <cstdint>
#include <span>

namespace lrqat {

/// A MicroStep (train/trainer.hpp): the mean over tokens of tau^2 KL(teacher || student), as QVGen,
/// LLM-QAT and EdgeQAT train quantized models. It refers to both models; the teacher, usually the
/// float model, is only evaluated, some tokens' logits at a time.
template <class Student, class Teacher>
class Distilled {
 public:
  /// Errors: vocabularies of different sizes; a temperature that is not positive.
  Distilled(Llama<Student>& student, Llama<Teacher>& teacher, double tau = 1)
      : student_(student), teacher_(teacher), tau_(tau) {
    expects(student.config().vocab == teacher.config().vocab, "Distilled: the student knows ",
            student.config().vocab, " tokens, the teacher ", teacher.config().vocab);
    expects(tau > 0, "Distilled: the temperature is ", tau, ", it must be positive");
  }

  double operator()(std::span<const std::uint16_t> inputs, std::span<const std::uint16_t>,
                    std::size_t batch, std::size_t length, float gradient_scale) {
    using T = typename Student::scalar;
    const MatrixView<const T> hidden = teacher_.hidden(inputs, batch, length);
    const double each = static_cast<double>(gradient_scale) / static_cast<double>(inputs.size());
    return student_.loss_and_gradients_by(
        [&](MatrixView<T> logits, std::size_t first, std::span<double> losses) {
          const MatrixView<T> wanted = logits_.shaped(logits.rows, logits.cols);
          teacher_.project(hidden.block(first, 0, logits.rows, hidden.cols), wanted);
          distillation_with_gradient<T>(logits, wanted, tau_, each, losses);
        },
        inputs, batch, length);
  }

 private:
  Llama<Student>& student_;
  Llama<Teacher>& teacher_;
  double tau_;
  Buffer<typename Student::scalar> logits_;
};

}  // namespace lrqat

#endif  // LRQAT_TRAIN_DISTILLED_HPP
