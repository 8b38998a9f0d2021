// SPDX-License-Identifier: MIT
// train/edge_qat.hpp: a training step that also keeps queries, keys and attention maps in shape.
#ifndef LRQAT_TRAIN_EDGE_QAT_HPP
#define LRQAT_TRAIN_EDGE_QAT_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/nn/attention_maps.hpp>
#include <lrqat/nn/block_guide.hpp>
#include <lrqat/nn/block_signals.hpp>
#include <lrqat/nn/cross_entropy.hpp>
#include <lrqat/nn/distillation.hpp>
#include <lrqat/nn/head_losses.hpp>  // expect_target_each
#include <lrqat/nn/llama.hpp>
#include <lrqat/nn/rows.hpp>  // Buffer, add_to, copy_to

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lrqat {

/// Of the loss of EdgeQat; the defaults are those of the published script.
struct EdgeQatOptions {
  double text = 0.5;     // share of the cross-entropy; the divergence from the teacher has the rest
  double tau = 2.0;      // temperature of the divergence
  double entropy = 0.5;  // weight of - log of the entropy of queries and keys
  double attention = 1.0;  // weight of - log of the cosines of attention maps
};

/// A MicroStep (train/trainer.hpp): the loss of EdgeQAT (Shen et al., arXiv 2402.10787),
///   text CE + (1 - text) tau^2 KL(teacher || student)
///     - entropy log sum [log(1 + Var q) + log(1 + Var k)]
///     - attention log sum cos(map, teacher's map),
/// each sum over the heads of all blocks and sequences, the first over their tokens too. Queries
/// and keys are those that attention reads.
///
/// The published code adds the last term with a plus, which taken literally drives the maps apart;
/// here it brings them together, as its purpose is said to be, and a negative weight gives the
/// published sign. It also differs there: cosines are of scores before mask and softmax, whose sum
/// may have no logarithm; the divergence is a sum over tokens for each sequence, here the mean; it
/// has three teachers, of which the first, the float model, is the one here.
///
/// A guide that the model has already, such as TokenMarking, is asked first at each context, as its
/// only call; the teacher must have none. It refers to both models.
template <class Student, class Teacher>
requires std::same_as<typename Student::scalar, typename Teacher::scalar>
class EdgeQat : private BlockGuide<typename Student::scalar> {
 public:
  using T = typename Student::scalar;

  /// Errors: models of different heads or vocabularies; options out of range.
  EdgeQat(Llama<Student>& student, Llama<Teacher>& teacher, EdgeQatOptions options = {})
      : student_(student),
        teacher_(teacher),
        options_(options),
        wanted_(teacher.config().layers),
        products_(student.config().layers),
        entropies_(student.config().layers) {
    const LlamaConfig &own = student.config(), &other = teacher.config();
    expects(own.layers == other.layers && own.heads == other.heads &&
                own.kv_heads == other.kv_heads && own.head_dim == other.head_dim &&
                own.vocab == other.vocab,
            "EdgeQat: the student has ", own.layers, " blocks of ", own.heads, " heads of ",
            own.head_dim, " on ", own.kv_heads, " and ", own.vocab, " tokens, the teacher ",
            other.layers, " of ", other.heads, " of ", other.head_dim, " on ", other.kv_heads,
            " and ", other.vocab);
    expects(options.tau > 0 && std::isfinite(options.tau), "EdgeQat: the temperature is ",
            options.tau, ", it must be positive");
    expects(options.text >= 0 && options.text <= 1, "EdgeQat: the share of the text is ",
            options.text, "; it lies in 0 ... 1");
    expects(
        std::isfinite(options.entropy) && options.entropy >= 0 && std::isfinite(options.attention),
        "EdgeQat: weights ", options.entropy, " of the entropy and ", options.attention,
        " of the attention maps; they are finite, the first not negative");
  }

  double operator()(std::span<const std::uint16_t> inputs, std::span<const std::uint16_t> targets,
                    std::size_t batch, std::size_t length, float gradient_scale) {
    detail::expect_target_each("EdgeQat", inputs.size(), targets.size());
    factor_ = static_cast<double>(gradient_scale);
    wanted_.keep({.heads = options_.attention != 0});
    MatrixView<const T> hidden;
    if (options_.text != 1 || options_.attention != 0)
      hidden = wanted_.hidden(teacher_, inputs, batch, length);
    const double each = factor_ / static_cast<double>(inputs.size());
    const Guided guided(student_, *this);
    before_ = guided.before();
    measured_ = false;
    const double mean = student_.loss_and_gradients_by(
        [&](MatrixView<T> logits, std::size_t first, std::span<double> losses) {
          measured_ = true;
          token_losses(hidden, first, targets.subspan(first, logits.rows), each, logits, losses);
        },
        inputs, batch, length);
    double loss = mean;
    if (options_.entropy != 0) loss -= options_.entropy * std::log(entropy());
    if (options_.attention != 0) loss -= options_.attention * std::log(cosines());
    return loss;
  }

 private:
  /// A half without weight is left out, and read by nobody.
  void token_losses(MatrixView<const T> hidden, std::size_t first,
                    std::span<const std::uint16_t> targets, double each, MatrixView<T> logits,
                    std::span<double> losses) {
    const double text = options_.text;
    if (text == 1) return cross_entropy_with_gradient(logits, targets, each, losses);
    const MatrixView<T> wanted = logits_.shaped(logits.rows, logits.cols);
    teacher_.project(hidden.block(first, 0, logits.rows, hidden.cols), wanted);
    if (text == 0)
      return distillation_with_gradient<T>(logits, wanted, options_.tau, each, losses);
    const MatrixView<T> text_logits = text_logits_.shaped(logits.rows, logits.cols);
    copy_to<T>(logits, text_logits);
    text_losses_.resize(losses.size());
    cross_entropy_with_gradient(text_logits, targets, text * each, std::span<double>(text_losses_));
    distillation_with_gradient<T>(logits, wanted, options_.tau, (1 - text) * each, losses);
    add_to<T>(text_logits, logits);
    for (std::size_t t = 0; t < losses.size(); ++t)
      losses[t] = text * text_losses_[t] + (1 - text) * losses[t];
  }

  static MapSource<T> source(const BlockTape<T>& tape) {
    return {tape.query, tape.key, tape.log_sum_exp};
  }
  MapSource<T> wanted(std::size_t block) const {
    const auto& signals = wanted_[block];
    return {signals.query.view(), signals.key.view(), signals.log_sum_exp.view()};
  }

  void context(std::size_t block, const BlockTape<T>& tape) override {
    if (before_ != nullptr) before_->context(block, tape);
    if (measured_) return;  // the same numbers again
    if (options_.entropy != 0)
      entropies_[block] = head_entropy<T>(tape.query, tape.shape.head_dim) +
                          head_entropy<T>(tape.key, tape.shape.head_dim);
    if (options_.attention != 0)
      products_[block] = map_products<T>(tape.shape, source(tape), wanted(block));
  }
  void heads_backward(std::size_t block, const BlockTape<T>& tape, MatrixView<T> grad_query,
                      MatrixView<T> grad_key) override {
    if (options_.entropy != 0) {
      const double factor = -options_.entropy * factor_ / entropy();
      add_entropy_gradients<T>(tape.query, tape.shape.head_dim, factor, grad_query);
      add_entropy_gradients<T>(tape.key, tape.shape.head_dim, factor, grad_key);
    }
    if (options_.attention != 0)
      add_cosine_gradients<T>(tape.shape, source(tape), wanted(block), products_[block],
                              -options_.attention * factor_ / cosines(), grad_query, grad_key);
  }

  double entropy() const {
    double sum = 0;
    for (const double block : entropies_) sum += block;
    return sum;
  }
  double cosines() const {
    double sum = 0;
    for (const std::vector<MapProducts>& block : products_)
      for (const MapProducts& head : block) sum += head.cosine();
    return sum;
  }

  Llama<Student>& student_;
  Llama<Teacher>& teacher_;
  EdgeQatOptions options_;
  BlockSignals<T> wanted_;  // the teacher's
  std::vector<std::vector<MapProducts>> products_;
  std::vector<double> entropies_;  // of each block
  BlockGuide<T>* before_ = nullptr;  // of the student, during a step
  bool measured_ = false;            // all blocks: what comes now is the backward pass
  Buffer<T> logits_, text_logits_;
  std::vector<double> text_losses_;
  double factor_ = 0;
};

}  // namespace lrqat

#endif  // LRQAT_TRAIN_EDGE_QAT_HPP
