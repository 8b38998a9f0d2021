// SPDX-License-Identifier: MIT
// train/block_reconstruction.hpp: the blocks of a LLaMA one after the other, each against its twin.
#ifndef LRQAT_TRAIN_BLOCK_RECONSTRUCTION_HPP
#define LRQAT_TRAIN_BLOCK_RECONSTRUCTION_HPP

#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/kernel/clear.hpp>
#include <lrqat/nn/llama.hpp>
#include <lrqat/nn/squared_distance.hpp>
#include <lrqat/optim/adamw.hpp>
#include <lrqat/optim/schedule.hpp>
#include <lrqat/train/equivalent_transform.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lrqat {

/// How one block is trained.
struct ReconstructionPlan {
  std::size_t epochs = 1, batch = 1;  // sequences in a step; the last batch may be smaller
  AdamWOptions optimizer{};
  std::function<double(std::uint64_t step)> schedule = ConstantSchedule{};  // of steps done
};

/// Mean squared errors of a block's output over all tokens, before and after its training.
struct BlockErrors {
  std::size_t block = 0;
  double before = 0, after = 0;
};

/// Trains the block at hand of a model so that its output is that of the same block of an exact
/// model: mean |block(X) - exact(X')|^2, X what the trained blocks before make of the tokens, X'
/// what the exact ones make of them. The Block-AP loop of EfficientQAT (arXiv 2407.11062); BRECQ's
/// and OmniQuant's is of this form. Both streams, (tokens, dim), are kept in float32.
///
/// Batches are consecutive sequences, the same in each epoch, and each block has an AdamW of its
/// own. Bits do not depend on the number of threads. The models must outlive it.
template <LinearLayer Linear, class ExactLinear>
requires std::same_as<typename Linear::scalar, float> &&
    std::same_as<typename ExactLinear::scalar, float>
class BlockReconstruction {
 public:
  /// @param tokens  sequences of `length`, one after the other
  /// Errors: models of different shapes; no tokens, or no whole number of sequences.
  BlockReconstruction(Llama<Linear>& model, Llama<ExactLinear>& exact,
                      std::span<const std::uint16_t> tokens, std::size_t length)
      : model_(model),
        exact_(exact),
        length_(length),
        sequences_(tokens.size() / std::max<std::size_t>(length, 1)) {
    const LlamaConfig &own = model.config(), &other = exact.config();
    expects(own.dim == other.dim && own.layers == other.layers,
            "BlockReconstruction: the model has ", own.layers, " blocks of dim ", own.dim,
            ", the exact one ", other.layers, " of ", other.dim);
    expects(sequences_ > 0 && sequences_ * length == tokens.size(),
            "BlockReconstruction: ", tokens.size(), " tokens are no whole number of sequences of ",
            length);
    const auto embedded = [&](AlignedVector<float>& stream) {
      stream.resize(tokens.size() * own.dim);
      return MatrixView<float>(stream.data(), tokens.size(), own.dim);
    };
    model.frame().embedding.look_up(tokens, embedded(inputs_));
    exact.frame().embedding.look_up(tokens, embedded(targets_));
    run_exact();
  }

  /// The block at hand; the number of blocks when all are done.
  std::size_t block() const { return block_; }
  bool is_done() const { return block_ == model_.config().layers; }

  /// The error of the block at hand as it is. @pre !is_done() (checked)
  double error() {
    expect_block();
    double sum = 0;
    for (std::size_t first = 0; first < sequences_; ++first) {
      const Batch batch{first, 1};
      sum += squared_distance<float>(output_of(batch), rows(targets_, batch));
    }
    return sum / static_cast<double>(targets_.size());
  }

  /// Trains the block at hand. @pre !is_done(); plan.batch > 0 (checked)
  /// Errors also where it has ChannelScales, which a transform is to tie.
  BlockErrors train(const ReconstructionPlan& plan) {
    expect_block(plan);
    Parameters<float> all = parameters();
    for (const Parameter<float>& each : all)
      expects(each.role != Role::transform, "BlockReconstruction: ", each.name,
              " would change the model's function alone; train the block with an "
              "EquivalentTransform");
    return trained(plan, std::move(all), [] {}, [] {});
  }

  /// The same with a transform of the block that learns too, from where it is; norms and layers
  /// hold it afterwards. Errors also: those of Transformed.
  BlockErrors train(const ReconstructionPlan& plan, EquivalentTransform& transform) {
    expect_block(plan);
    Parameters<float> all = parameters();
    Transformed transformed(transform, model_.block(block_, length_));
    transformed.apply();
    transformed.collect();  // whatever was left there; the first step clears it
    after_step();
    std::erase_if(all, [](const Parameter<float>& each) { return each.role == Role::transform; });
    for (Parameter<float>& each : transform.parameters()) all.push_back(std::move(each));
    return trained(
        plan, std::move(all), [&] { transformed.collect(); }, [&] { transformed.apply(); });
  }

  /// Goes on to the next block, with this one as it is. @pre !is_done() (checked)
  void advance() {
    expect_block();
    for (std::size_t first = 0; first < sequences_; ++first) {
      const Batch batch{first, 1};
      const MatrixView<const float> y = output_of(batch);
      std::copy_n(y.data, y.shape().size(), rows(inputs_, batch).data);
    }
    ++block_;
    if (!is_done()) run_exact();
  }

 private:
  struct Batch {
    std::size_t first, count;  // sequences
  };

  /// @param collect  after each backward pass     @param apply  after each update
  template <class Collect, class Apply>
  BlockErrors trained(const ReconstructionPlan& plan, Parameters<float> all, const Collect& collect,
                      const Apply& apply) {
    BlockErrors errors{block_, error()};
    AdamW optimizer(std::move(all), plan.optimizer);
    for (std::size_t epoch = 0; epoch < plan.epochs; ++epoch)
      for (std::size_t first = 0; first < sequences_; first += plan.batch) {
        optimizer.zero_gradients();
        add_gradients({first, std::min(plan.batch, sequences_ - first)});
        collect();
        optimizer.step(plan.schedule(optimizer.steps()));
        apply();
        after_step();
      }
    errors.after = error();
    return errors;
  }

  void expect_block() const {
    expects(!is_done(), "BlockReconstruction: all ", block_, " blocks are done");
  }
  void expect_block(const ReconstructionPlan& plan) const {
    expect_block();
    expects(plan.batch > 0, "BlockReconstruction: batches of 0 sequences");
  }
  MatrixView<float> rows(AlignedVector<float>& stream, const Batch& batch) const {
    const std::size_t dim = model_.config().dim;
    return {stream.data() + batch.first * length_ * dim, batch.count * length_, dim};
  }

  /// Everything that the block at hand trains.
  Parameters<float> parameters() {
    Parameters<float> all;
    const BlockLayers<Linear> layers = model_.block(block_, length_);
    for (const LinearKind kind : linear_kinds)
      append_prefixed(all, std::string(name(kind)), layers[kind].parameters());
    for (const auto& [norm, label] : {std::pair{layers.attention_norm, "attention_norm"},
                                      std::pair{layers.mlp_norm, "mlp_norm"}})
      for (Parameter<float>& each : norm->parameter(label, Role::norm))
        all.push_back(std::move(each));
    return all;
  }

  /// Lets the layers follow their parameters.
  void after_step() {
    const BlockLayers<Linear> layers = model_.block(block_, length_);
    for (const LinearKind kind : linear_kinds)
      if constexpr (requires { layers[kind].after_step(); }) layers[kind].after_step();
  }

  /// The block's output for a batch; the tape is that of its pass.
  MatrixView<const float> output_of(const Batch& batch) {
    const BlockLayers<Linear> layers = model_.block(block_, length_);
    const MatrixView<float> x = rows(inputs_, batch), y = output_.shaped(x.rows, x.cols);
    tape_ = memory_.tape(model_.config(), layers.bits, batch.count, length_);
    block_forward(layers, x, tape_);
    block_output(layers, tape_, y);
    return y;
  }

  /// Those of the mean over the batch.
  void add_gradients(const Batch& batch) {
    const MatrixView<const float> y = output_of(batch);
    const MatrixView<float> grad = grad_.shaped(y.rows, y.cols);
    kernel::clear(grad);
    add_squared_distance<float>(y, rows(targets_, batch),
                                1 / static_cast<double>(y.shape().size()), grad);
    block_backward(model_.block(block_, length_), rows(inputs_, batch), tape_, gradients_, grad);
  }

  /// The exact stream through the exact block at hand: its targets.
  void run_exact() {
    const BlockLayers<ExactLinear> layers = exact_.block(block_, length_);
    for (std::size_t first = 0; first < sequences_; ++first) {
      const MatrixView<float> x = rows(targets_, {first, 1});
      const BlockTape<float> tape = memory_.tape(exact_.config(), layers.bits, 1, length_);
      block_forward(layers, x, tape);
      block_output(layers, tape, x);
    }
  }

  Llama<Linear>& model_;
  Llama<ExactLinear>& exact_;
  std::size_t length_, sequences_, block_ = 0;
  AlignedVector<float> inputs_, targets_;  // (tokens, dim): of the block at hand
  BlockMemory<float> memory_;
  BlockTape<float> tape_;
  BlockGradients<float> gradients_;
  Buffer<float> output_, grad_;
};

/// All blocks in order. @param on_block  (const BlockErrors&), after each; may be empty
template <class Linear, class ExactLinear>
std::vector<BlockErrors> reconstruct_blocks(
    Llama<Linear>& model, Llama<ExactLinear>& exact, std::span<const std::uint16_t> tokens,
    std::size_t length, const ReconstructionPlan& plan,
    const std::function<void(const BlockErrors&)>& on_block = {}) {
  std::vector<BlockErrors> all;
  for (BlockReconstruction<Linear, ExactLinear> run(model, exact, tokens, length); !run.is_done();
       run.advance()) {
    all.push_back(run.train(plan));
    if (on_block) on_block(all.back());
  }
  return all;
}

}  // namespace lrqat

#endif  // LRQAT_TRAIN_BLOCK_RECONSTRUCTION_HPP
