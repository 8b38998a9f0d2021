// SPDX-License-Identifier: MIT
// nn/llama.hpp: a LLaMA whose linear layers are a template argument.
#ifndef LRQAT_NN_LLAMA_HPP
#define LRQAT_NN_LLAMA_HPP

#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/kernel/clear.hpp>
#include <lrqat/nn/cross_entropy.hpp>
#include <lrqat/nn/head_losses.hpp>
#include <lrqat/nn/kv_cache.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_block.hpp>
#include <lrqat/nn/llama_frame.hpp>
#include <lrqat/nn/llama_linears.hpp>
#include <lrqat/nn/quantized_kv_cache.hpp>
#include <lrqat/nn/rms_norm.hpp>
#include <lrqat/nn/rope.hpp>

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

/// A LLaMA (Touvron et al. 2023; grouped queries, rotation of interleaved pairs) in
/// Linear::scalar. Its linear layers are `Linear`, so that the scheme of a whole model is one type;
/// embedding, norms and head stay in full precision and are frozen unless LlamaOptions trains them.
///
/// Evaluation needs only Linear's forward; a merged layer will do. Activations live in buffers of
/// the model that grow to the largest batch seen, so one model runs one call at a time. Bits do not
/// depend on the number of threads.
template <class Linear>
class Llama {
 public:
  using scalar = typename Linear::scalar;
  using T = scalar;
  using linear_type = Linear;

  /// @param make  (MatrixView<const float> weight, const LinearName&) -> Linear, called for each
  ///              linear layer in order
  /// Errors: weights that do not fit their config; a layer of another shape than its weight.
  template <class Make>
  Llama(const LlamaWeights& weights, Make&& make, LlamaOptions options = {})
      : Llama(
            LlamaFrame<T>(weights),
            [&](const LinearName& which) {
              const Shape shape = linear_shape(weights.config, which.kind);
              const AlignedVector<float>& values =
                  linear_weight(weights.blocks[which.block], which.kind);
              return make(MatrixView<const float>(values.data(), shape.rows, shape.cols), which);
            },
            options) {}

  /// From a frame, without a checkpoint in memory.
  /// @param make  (const LinearName&) -> Linear, called for each linear layer in order
  /// Errors: a layer of another shape than linear_shape(); a table in bfloat16 to train.
  template <class MakeNamed>
  Llama(LlamaFrame<T> frame, MakeNamed&& make, LlamaOptions options = {})
      : frame_(std::move(frame)),
        options_(options),
        linears_(frame_.config, std::forward<MakeNamed>(make)),
        rope_(frame_.config.head_dim, static_cast<double>(frame_.config.rope_theta),
              frame_.config.rope_scaling),
        stream_(frame_.config.layers + 1),
        tapes_(frame_.config.layers) {
    options_.activations.check();
    frame_.train(options_);
  }

  const LlamaConfig& config() const { return frame_.config; }
  const LlamaOptions& options() const { return options_; }
  /// Embedding, norms and head.
  const LlamaFrame<T>& frame() const { return frame_; }

  /// Mean negative log-likelihood in nats.
  ///
  /// @param inputs, targets  (batch * length) tokens, sequence after sequence; the target of an
  ///                         input is the token that follows it
  /// @param nll              (batch * length) that of each target, or empty
  double loss(std::span<const std::uint16_t> inputs, std::span<const std::uint16_t> targets,
              std::size_t batch, std::size_t length, std::span<double> nll = {}) {
    detail::expect_target_each("Llama", inputs.size(), targets.size(), nll.size());
    return head_loss(
        hidden(inputs, batch, length), nll,
        [&](MatrixView<T> logits, std::size_t first, std::span<double> losses) {
          cross_entropy(logits, targets.subspan(first, logits.rows), losses);
        });
  }

  /// The same; adds `factor` times the gradients of that mean to those of parameters().
  double loss_and_gradients(std::span<const std::uint16_t> inputs,
                            std::span<const std::uint16_t> targets, std::size_t batch,
                            std::size_t length, double factor = 1.0, std::span<double> nll = {}) {
    detail::expect_target_each("Llama", inputs.size(), targets.size(), nll.size());
    const double each = inputs.empty() ? 0 : factor / static_cast<double>(inputs.size());
    return loss_and_gradients_by(
        [&](MatrixView<T> logits, std::size_t first, std::span<double> losses) {
          cross_entropy_with_gradient(logits, targets.subspan(first, logits.rows), each, losses);
        },
        inputs, batch, length, nll);
  }

  /// The mean of any loss on logits, and its gradients.
  ///
  /// @param token_losses  (logits (n, vocab), first, losses (n)), called for tokens first ...
  ///                      first + n - 1 of `inputs` at a time: writes the loss of each and
  ///                      overwrites the logits with what is to be their gradient
  /// @param each_loss     (batch * length) that of each token, or empty
  template <class TokenLosses>
  double loss_and_gradients_by(const TokenLosses& token_losses,
                               std::span<const std::uint16_t> inputs, std::size_t batch,
                               std::size_t length, std::span<double> each_loss = {}) {
    static_assert(LinearLayer<Linear>,
                  "Llama<Linear>: training needs a LinearLayer, with backward "
                  "and parameters (concept/linear_layer.hpp)");
    const bool keep = options_.recompute == Recompute::keep;
    const std::size_t layers = config().layers, tokens = inputs.size(), dim = config().dim;
    begin(inputs, batch, length);
    for (std::size_t b = 0; b < layers; ++b) {
      const BlockTape<T> tape = training_tape(b, batch, length);
      block_forward(block(b), stream_[b].shaped(tokens, dim), tape);
      block_output(block(b), tape, stream_[b + 1].shaped(tokens, dim));
      if (pass_observer_) pass_observer_(b + 1, 2 * layers);
    }

    const MatrixView<T> last = stream_[layers].shaped(tokens, dim);
    const MatrixView<T> normed = final_normed(last, tokens);
    const MatrixView<T> grad_normed = grad_normed_.shaped(tokens, dim);
    TokenTable<T>& head = frame_.head_table();
    const double mean = head_loss(
        normed, each_loss,
        [&](MatrixView<T> logits, std::size_t first, std::span<double> losses) {
          token_losses(logits, first, losses);
          head.project_backward(normed.block(first, 0, logits.rows, dim), logits,
                                grad_normed.block(first, 0, logits.rows, dim));
        });

    const MatrixView<T> grad = grad_stream_.shaped(tokens, dim);
    kernel::clear(grad);
    rms_norm_backward<T>(last, frame_.final_norm.value, final_inverse_rms_, grad_normed, grad,
                         frame_.final_norm.gradient);
    for (std::size_t b = layers; b-- > 0;) {
      const MatrixView<T> x = stream_[b].shaped(tokens, dim);
      const BlockTape<T> tape = training_tape(b, batch, length);
      if (!keep && b + 1 < layers) block_forward(block(b), x, tape);
      if (guide_ != nullptr) guide_->stream_backward(b, stream_[b + 1].shaped(tokens, dim), grad);
      block_backward(block(b), x, tape, gradients_, grad);
      if (pass_observer_) pass_observer_(2 * layers - b, 2 * layers);
    }
    frame_.embedding.look_up_backward(inputs, grad);
    return mean;
  }

  /// Whom loss_and_gradients tells how far it is, after each block's forward and each block's
  /// backward pass: a step of a large model takes minutes.
  using PassObserver = std::function<void(std::size_t done, std::size_t all)>;
  void observe_passes(PassObserver observer) { pass_observer_ = std::move(observer); }

  /// Who may look into the blocks (nn/block_guide.hpp), or null; returns who did before. It must
  /// outlive its time here, and the model must not be moved in that time.
  BlockGuide<T>* set_guide(BlockGuide<T>* guide) { return std::exchange(guide_, guide); }

  /// logits (batch * length, vocab), overwritten.
  void forward(std::span<const std::uint16_t> tokens, std::size_t batch, std::size_t length,
               MatrixView<T> logits) {
    project(hidden(tokens, batch, length), logits);
  }

  /// What the head reads, (batch * length, dim), valid until the next call; project() makes logits
  /// (n, vocab) of rows of it: for those who need them a few tokens at a time.
  MatrixView<const T> hidden(std::span<const std::uint16_t> tokens, std::size_t batch,
                             std::size_t length) {
    return final_normed(evaluate(tokens, batch, length), tokens.size());
  }
  void project(MatrixView<const T> rows, MatrixView<T> logits) {
    frame_.head_table().project(rows, logits);
  }

  /// Reads `tokens` after those of the cache and returns the logits (vocab) after the last one,
  /// valid until the next call: those of forward() over all of them, to the bit where a layer's
  /// output does not depend on how many tokens it is given at once.
  /// Errors: no token; no room in the cache; another model's cache.
  std::span<const T> prefill(std::span<const std::uint16_t> tokens, KvCache<T>& cache) {
    return read(tokens, cache, [&](std::size_t b, MatrixView<T> x, BlockTape<T>& tape) {
      const std::size_t before = tape.first_position, count = x.rows;
      tape.seen_key = cache.keys(b).block(0, 0, before + count, cache.width());
      tape.seen_value = cache.values(b).block(0, 0, before + count, cache.width());
      tape.key = tape.seen_key.block(before, 0, count, cache.width());
      tape.value = tape.seen_value.block(before, 0, count, cache.width());
      block_forward(block(b), x, tape);
    });
  }
  /// The same from codes of 4 or 8 bits. Errors: a cache of other bits than the model's.
  std::span<const T> prefill(std::span<const std::uint16_t> tokens, QuantizedKvCache& cache)
    requires std::same_as<T, float>
  {
    const ActivationBits& bits = options_.activations;
    expects(cache.quantizer() == bits.cache, "Llama::prefill: the cache has ",
            cache.quantizer().bits, " bits, the model's keys and values ", bits.cache.bits,
            ", or their zero points are of another kind");
    return read(tokens, cache, [&](std::size_t b, MatrixView<T> x, BlockTape<T>& tape) {
      block_project(block(b), x, tape);
      cache.write(b, tape.key, tape.value);
      rope_.forward(tape.query, x.rows, tape.first_position);
      quantize_heads(bits.rotated, config().head_dim, tape.query, {});
      const auto source_of = [&](std::size_t, std::size_t head) {
        return CachedKeys{&cache, &rope_, bits.rotated, b, head};
      };
      attention_over<T>(tape.shape, tape.query, source_of, tape.attended, tape.log_sum_exp);
      block_finish(block(b), x, tape);
    });
  }

  /// prefill of one token.
  template <class Cache>
  std::span<const T> step(std::uint16_t token, Cache& cache) {
    return prefill(std::span<const std::uint16_t>(&token, 1), cache);
  }

  /// Everything that is trained: "embedding", "blocks.3.attention_norm", "blocks.3.query.A", ...,
  /// "final_norm", "head". Spans stay valid until the model is moved or destroyed.
  Parameters<T> parameters() {
    Parameters<T> all;
    const auto append = [&all](Parameters<T> some) {
      for (Parameter<T>& parameter : some) all.push_back(std::move(parameter));
    };
    append(frame_.embedding.parameter("embedding"));
    for (std::size_t b = 0; b < config().layers; ++b) {
      const std::string prefix = "blocks." + std::to_string(b);
      append_prefixed(all, prefix,
                      frame_.attention_norm[b].parameter("attention_norm", Role::norm));
      append_prefixed(all, prefix, frame_.mlp_norm[b].parameter("mlp_norm", Role::norm));
      if constexpr (LinearLayer<Linear>)
        for (const LinearKind kind : linear_kinds)
          append_prefixed(all, LinearName{b, kind}.text(), linear({b, kind}).parameters());
    }
    append(frame_.final_norm.parameter("final_norm", Role::norm));
    append(frame_.head.parameter("head"));
    return all;
  }

  /// Lets the layers follow their parameters, after an update or when a checkpoint is read.
  void after_step() {
    linears_.for_each([](const LinearName&, Linear& each) {
      if constexpr (requires { each.after_step(); }) each.after_step();
    });
  }

  void zero_gradients() {
    for (const Parameter<T>& parameter : parameters())
      std::fill(parameter.gradient.begin(), parameter.gradient.end(), T(0));
  }

  Linear& linear(const LinearName& which) { return linears_[which]; }
  const Linear& linear(const LinearName& which) const { return linears_[which]; }

  /// visit(const LinearName&, Linear&) for each linear layer, in the order of the blocks.
  template <class Visit>
  void for_each_linear(Visit&& visit) {
    linears_.for_each(visit);
  }
  template <class Visit>
  void for_each_linear(Visit&& visit) const {
    linears_.for_each(visit);
  }

  /// The layers of one block, to run it alone (nn/llama_block.hpp) on sequences up to `length`.
  BlockLayers<Linear> block(std::size_t b, std::size_t length) {
    rope_.prepare(length);
    BlockLayers<Linear> layers = block(b);
    layers.guide = nullptr;
    return layers;
  }

  /// The same model with other linear layers, sharing nothing with this one.
  ///
  /// @param change  (const Linear&, const LinearName&) -> Other
  template <class Other, class Change>
  Llama<Other> convert(Change&& change, LlamaOptions options = {}) const {
    return Llama<Other>(
        frame_, [&](const LinearName& which) { return change(linear(which), which); }, options);
  }

  /// Bytes of activations, gradients of activations and working memory held now.
  std::size_t activation_bytes() const {
    std::size_t sum = gradients_.bytes() + grad_stream_.bytes() + normed_.bytes() +
                      grad_normed_.bytes() + logits_.bytes();
    for (const Buffer<T>& stream : stream_) sum += stream.bytes();
    for (const BlockMemory<T>& tape : tapes_) sum += tape.bytes();
    return sum;
  }

 private:
  template <class Other>
  friend class Llama;

  BlockLayers<Linear> block(std::size_t b) {
    return {linears_.of_block(b), &frame_.attention_norm[b], &frame_.mlp_norm[b],
            &rope_, static_cast<T>(config().norm_eps), options_.activations, b, guide_};
  }
  BlockTape<T> training_tape(std::size_t b, std::size_t batch, std::size_t length) {
    BlockMemory<T>& memory = tapes_[options_.recompute == Recompute::keep ? b : 0];
    return memory.tape(config(), options_.activations, batch, length);
  }

  /// Embeds the tokens into stream_[0].
  void begin(std::span<const std::uint16_t> tokens, std::size_t batch, std::size_t length) {
    expects(tokens.size() == batch * length, "Llama: ", tokens.size(), " tokens for ", batch,
            " sequences of ", length);
    rope_.prepare(length);
    frame_.embedding.look_up(tokens, stream_[0].shaped(tokens.size(), config().dim));
  }

  /// All blocks, nothing kept; the stream (tokens, dim) before the final norm.
  MatrixView<T> evaluate(std::span<const std::uint16_t> tokens, std::size_t batch,
                         std::size_t length) {
    begin(tokens, batch, length);
    const MatrixView<T> x = stream_[0].shaped(tokens.size(), config().dim);
    for (std::size_t b = 0; b < config().layers; ++b) {
      const BlockTape<T> tape = tapes_[0].tape(config(), batch, length);
      block_forward(block(b), x, tape);
      block_output(block(b), tape, x);
    }
    return x;
  }

  /// prefill, block(b, x, tape) being all of a block but its last product.
  template <class Cache, class Block>
  std::span<const T> read(std::span<const std::uint16_t> tokens, Cache& cache,
                          const Block& run_block) {
    const LlamaConfig& c = config();
    const std::size_t count = tokens.size(), before = cache.length();
    expects(count > 0, "Llama::prefill: no token");
    expects(guide_ == nullptr, "Llama::prefill: a guided model reads whole batches, no cache");
    expects(cache.layers() == c.layers && cache.width() == c.kv_heads * c.head_dim,
            "Llama::prefill: the cache has ", cache.layers(), " layers of ", cache.width(),
            " numbers, the model ", c.layers, " of ", c.kv_heads * c.head_dim);
    expects(before + count <= cache.capacity(), "Llama::prefill: ", before, " + ", count,
            " tokens, the cache has room for ", cache.capacity());
    rope_.prepare(before + count);
    const MatrixView<T> x = stream_[0].shaped(count, c.dim);
    frame_.embedding.look_up(tokens, x);
    for (std::size_t b = 0; b < c.layers; ++b) {
      BlockTape<T> tape = tapes_[0].tape(c, 1, count);
      tape.shape.keys = before + count;
      tape.first_position = before;
      run_block(b, x, tape);
      block_output(block(b), tape, x);
    }
    cache.append(count);
    const MatrixView<T> normed = final_normed(x.block(count - 1, 0, 1, c.dim), 1);
    const MatrixView<T> logits = logits_.shaped(1, c.vocab);
    frame_.head_table().project(normed, logits);
    return logits.row(0);
  }

  MatrixView<T> final_normed(MatrixView<const T> x, std::size_t tokens) {
    final_inverse_rms_.resize(tokens);
    const MatrixView<T> normed = normed_.shaped(tokens, config().dim);
    rms_norm_forward<T>(x, frame_.final_norm.value, static_cast<T>(config().norm_eps), normed,
                        final_inverse_rms_);
    return normed;
  }

  /// head_losses of rows of hidden().
  template <class Use>
  double head_loss(MatrixView<const T> normed, std::span<double> each_loss, const Use& use) {
    const double mean = head_losses(frame_.head_table(), normed, logits_, losses_, use);
    if (!each_loss.empty()) std::copy(losses_.begin(), losses_.end(), each_loss.begin());
    return mean;
  }

  LlamaFrame<T> frame_;
  LlamaOptions options_;
  LlamaLinears<Linear> linears_;
  Rope<T> rope_;

  std::vector<Buffer<T>> stream_;      // (layers + 1) inputs of the blocks; [0] alone in evaluation
  std::vector<BlockMemory<T>> tapes_;  // (layers); [0] alone in evaluation and with per_block
  BlockGradients<T> gradients_;
  Buffer<T> grad_stream_, normed_, grad_normed_, logits_;
  AlignedVector<T> final_inverse_rms_;
  std::vector<double> losses_;
  PassObserver pass_observer_;
  BlockGuide<T>* guide_ = nullptr;
};

}  // namespace lrqat

#endif  // LRQAT_NN_LLAMA_HPP
