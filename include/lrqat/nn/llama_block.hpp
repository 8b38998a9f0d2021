// SPDX-License-Identifier: MIT
// nn/llama_block.hpp: one block of a LLaMA: attention, gated MLP, and their gradients.
#ifndef LRQAT_NN_LLAMA_BLOCK_HPP
#define LRQAT_NN_LLAMA_BLOCK_HPP

#include <lrqat/core/matrix_view.hpp>
#include <lrqat/nn/activation_bits.hpp>
#include <lrqat/nn/attention.hpp>
#include <lrqat/nn/attention_gradient.hpp>
#include <lrqat/nn/block_guide.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_frame.hpp>  // FrameTensor
#include <lrqat/nn/rms_norm.hpp>
#include <lrqat/nn/rope.hpp>
#include <lrqat/nn/rows.hpp>  // Buffer, add_to, copy_to
#include <lrqat/nn/swiglu.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace lrqat {

/// The activations of one block, all (tokens, ...): what its backward pass reads.
template <class T>
struct BlockTape {
  AttentionShape shape;
  std::size_t first_position = 0;
  MatrixView<T> normed;                // (dim) input of query, key and value
  MatrixView<T> query, key, value;     // rotated, but value; quantized where that is asked for
  MatrixView<T> seen_key, seen_value;  // key and value, after those of a cache
  MatrixView<T> attended, log_sum_exp;
  MatrixView<T> middle;      // (dim) residual stream between attention and MLP
  MatrixView<T> mlp_normed;  // (dim) input of gate and up
  MatrixView<T> gate, up, gated;
  std::span<T> inverse_rms, mlp_inverse_rms;  // (tokens)
  // Where gradients pass the quantizers: of key and value, and after rotation of query and key.
  MatrixView<std::uint8_t> key_inside, value_inside, rotated_query_inside, rotated_key_inside;
};

/// Memory for one BlockTape.
template <class T>
class BlockMemory {
 public:
  /// A tape for `sequences` sequences of `length` tokens, not after a cache and without masks.
  BlockTape<T> tape(const LlamaConfig& config, std::size_t sequences, std::size_t length) {
    BlockTape<T> tape;
    tape.shape = {sequences, length, length, config.heads, config.kv_heads, config.head_dim};
    const std::size_t tokens = sequences * length;
    const std::size_t heads = config.heads * config.head_dim;
    const std::size_t kv_heads = config.kv_heads * config.head_dim;
    tape.normed = normed_.shaped(tokens, config.dim);
    tape.query = query_.shaped(tokens, heads);
    tape.key = tape.seen_key = key_.shaped(tokens, kv_heads);
    tape.value = tape.seen_value = value_.shaped(tokens, kv_heads);
    tape.attended = attended_.shaped(tokens, heads);
    const Shape sums = tape.shape.log_sum_exp_shape();
    tape.log_sum_exp = log_sum_exp_.shaped(sums.rows, sums.cols);
    tape.middle = middle_.shaped(tokens, config.dim);
    tape.mlp_normed = mlp_normed_.shaped(tokens, config.dim);
    tape.gate = gate_.shaped(tokens, config.hidden_dim);
    tape.up = up_.shaped(tokens, config.hidden_dim);
    tape.gated = gated_.shaped(tokens, config.hidden_dim);
    const MatrixView<T> inverse = inverse_rms_.shaped(2, tokens);
    tape.inverse_rms = inverse.row(0);
    tape.mlp_inverse_rms = inverse.row(1);
    return tape;
  }
  /// The same with the masks that the backward pass of quantizers needs.
  BlockTape<T> tape(const LlamaConfig& config, const ActivationBits& bits, std::size_t sequences,
                    std::size_t length) {
    BlockTape<T> tape = this->tape(config, sequences, length);
    const Shape query = tape.query.shape(), key = tape.key.shape();
    if (bits.cache.quantizes()) {
      tape.key_inside = key_inside_.shaped(key.rows, key.cols);
      tape.value_inside = value_inside_.shaped(key.rows, key.cols);
    }
    if (bits.rotated.quantizes()) {
      tape.rotated_query_inside = rotated_query_inside_.shaped(query.rows, query.cols);
      tape.rotated_key_inside = rotated_key_inside_.shaped(key.rows, key.cols);
    }
    return tape;
  }

  std::size_t bytes() const {
    return normed_.bytes() + query_.bytes() + key_.bytes() + value_.bytes() + attended_.bytes() +
           log_sum_exp_.bytes() + middle_.bytes() + mlp_normed_.bytes() + gate_.bytes() +
           up_.bytes() + gated_.bytes() + inverse_rms_.bytes() + key_inside_.bytes() +
           value_inside_.bytes() + rotated_query_inside_.bytes() + rotated_key_inside_.bytes();
  }

 private:
  Buffer<T> normed_, query_, key_, value_, attended_, log_sum_exp_, middle_, mlp_normed_, gate_,
      up_, gated_, inverse_rms_;
  Buffer<std::uint8_t> key_inside_, value_inside_, rotated_query_inside_, rotated_key_inside_;
};

/// Working memory of block_backward.
template <class T>
struct BlockGradients {
  Buffer<T> stream, branch, query, key, value, gate, up;

  std::size_t bytes() const {
    return stream.bytes() + branch.bytes() + query.bytes() + key.bytes() + value.bytes() +
           gate.bytes() + up.bytes();
  }
};

/// A block's layers, owned by the model.
template <class Linear>
struct BlockLayers {
  using T = typename Linear::scalar;
  Linear* linears;  // 7, in the order of linear_kinds
  FrameTensor<T>*attention_norm, *mlp_norm;
  const Rope<T>* rope;
  T norm_eps;
  ActivationBits bits{};
  std::size_t index = 0;           // of the block, told to the guide
  BlockGuide<T>* guide = nullptr;  // or nobody

  Linear& operator[](LinearKind kind) const { return linears[static_cast<std::size_t>(kind)]; }
};

/// Up to query, key and value as their layers give them.
template <class Linear>
void block_project(const BlockLayers<Linear>& layers, MatrixView<const typename Linear::scalar> x,
                   const BlockTape<typename Linear::scalar>& tape) {
  using T = typename Linear::scalar;
  rms_norm_forward<T>(x, layers.attention_norm->value, layers.norm_eps, tape.normed,
                      tape.inverse_rms);
  layers[LinearKind::query].forward(tape.normed, tape.query);
  layers[LinearKind::key].forward(tape.normed, tape.key);
  layers[LinearKind::value].forward(tape.normed, tape.value);
}

/// Query, key and value become what attention reads.
template <class Linear>
void block_rotate(const BlockLayers<Linear>& layers, const BlockTape<typename Linear::scalar>& tape) {
  const std::size_t dim = tape.shape.head_dim;
  const ActivationBits& bits = layers.bits;
  quantize_heads(bits.cache, dim, tape.key, tape.key_inside);
  quantize_heads(bits.cache, dim, tape.value, tape.value_inside);
  layers.rope->forward(tape.query, tape.shape.queries, tape.first_position);
  layers.rope->forward(tape.key, tape.shape.queries, tape.first_position);
  quantize_heads(bits.rotated, dim, tape.query, tape.rotated_query_inside);
  quantize_heads(bits.rotated, dim, tape.key, tape.rotated_key_inside);
}

/// From what attention gave up to the gated product of the MLP.
template <class Linear>
void block_finish(const BlockLayers<Linear>& layers, MatrixView<const typename Linear::scalar> x,
                  const BlockTape<typename Linear::scalar>& tape) {
  using T = typename Linear::scalar;
  layers[LinearKind::output].forward(tape.attended, tape.middle);
  if (layers.guide != nullptr) layers.guide->output(layers.index, tape.middle);
  add_to<T>(x, tape.middle);
  rms_norm_forward<T>(tape.middle, layers.mlp_norm->value, layers.norm_eps, tape.mlp_normed,
                      tape.mlp_inverse_rms);
  layers[LinearKind::gate].forward(tape.mlp_normed, tape.gate);
  layers[LinearKind::up].forward(tape.mlp_normed, tape.up);
  swiglu_forward<T>(tape.gate, tape.up, tape.gated);
}

/// Everything but the last product: fills the tape from x (tokens, dim).
template <class Linear>
void block_forward(const BlockLayers<Linear>& layers, MatrixView<const typename Linear::scalar> x,
                   const BlockTape<typename Linear::scalar>& tape) {
  using T = typename Linear::scalar;
  block_project(layers, x, tape);
  block_rotate(layers, tape);
  if (layers.guide != nullptr) layers.guide->heads(layers.index, tape);
  attention_forward<T>(tape.shape, tape.query, tape.seen_key, tape.seen_value, tape.attended,
                       tape.log_sum_exp);
  if (layers.guide != nullptr) layers.guide->context(layers.index, tape);
  block_finish(layers, x, tape);
}

/// The block's output y (tokens, dim); y may be the block's input.
template <class Linear>
void block_output(const BlockLayers<Linear>& layers, const BlockTape<typename Linear::scalar>& tape,
                  MatrixView<typename Linear::scalar> y) {
  using T = typename Linear::scalar;
  layers[LinearKind::down].forward(tape.gated, y);
  add_to<T>(tape.middle, y);
  if (layers.guide != nullptr) layers.guide->done(layers.index, tape, y);
}

/// grad (tokens, dim): dL/dy becomes dL/dx; adds to the gradients of the block's layers.
template <class Linear>
void block_backward(const BlockLayers<Linear>& layers, MatrixView<const typename Linear::scalar> x,
                    const BlockTape<typename Linear::scalar>& tape,
                    BlockGradients<typename Linear::scalar>& memory,
                    MatrixView<typename Linear::scalar> grad) {
  using T = typename Linear::scalar;
  const std::size_t tokens = x.rows, hidden = tape.gate.cols;
  const MatrixView<T> grad_gate = memory.gate.shaped(tokens, hidden);
  const MatrixView<T> grad_up = memory.up.shaped(tokens, hidden);  // first that of `gated`
  const MatrixView<T> stream = memory.stream.shaped(tokens, x.cols);
  const MatrixView<T> branch = memory.branch.shaped(tokens, x.cols);
  layers[LinearKind::down].backward(tape.gated, grad, grad_up);
  swiglu_backward<T>(tape.gate, tape.up, grad_up, grad_gate, grad_up);
  layers[LinearKind::gate].backward(tape.mlp_normed, grad_gate, stream);
  layers[LinearKind::up].backward(tape.mlp_normed, grad_up, branch);
  add_to<T>(branch, stream);
  rms_norm_backward<T>(tape.middle, layers.mlp_norm->value, tape.mlp_inverse_rms, stream, grad,
                       layers.mlp_norm->gradient);

  const MatrixView<T> grad_attended = memory.gate.shaped(tokens, tape.query.cols);
  const MatrixView<T> grad_query = memory.query.shaped(tokens, tape.query.cols);
  const MatrixView<T> grad_key = memory.key.shaped(tokens, tape.key.cols);
  const MatrixView<T> grad_value = memory.value.shaped(tokens, tape.key.cols);
  BlockGuide<T>* const guide = layers.guide;
  MatrixView<const T> grad_output = grad;
  if (guide != nullptr) {
    guide->middle_backward(layers.index, tape, grad);
    copy_to<T>(grad, branch);
    guide->output_backward(layers.index, branch);
    grad_output = branch;
  }
  layers[LinearKind::output].backward(tape.attended, grad_output, grad_attended);
  if (guide != nullptr) guide->context_backward(layers.index, tape, grad_attended);
  attention_backward<T>(tape.shape,
                        {tape.query, tape.key, tape.value, tape.attended, tape.log_sum_exp,
                         MatrixView<const T>(grad_attended)},
                        {grad_query, grad_key, grad_value});
  if (guide != nullptr) guide->heads_backward(layers.index, tape, grad_query, grad_key);
  mask_gradient<T>(tape.rotated_query_inside, grad_query);
  mask_gradient<T>(tape.rotated_key_inside, grad_key);
  layers.rope->backward(grad_query, tape.shape.queries, tape.first_position);
  layers.rope->backward(grad_key, tape.shape.queries, tape.first_position);
  mask_gradient<T>(tape.key_inside, grad_key);
  mask_gradient<T>(tape.value_inside, grad_value);
  layers[LinearKind::query].backward(tape.normed, grad_query, stream);
  layers[LinearKind::key].backward(tape.normed, grad_key, branch);
  add_to<T>(branch, stream);
  if (guide != nullptr) guide->heads_input_backward(layers.index, stream);
  layers[LinearKind::value].backward(tape.normed, grad_value, branch);
  add_to<T>(branch, stream);
  rms_norm_backward<T>(x, layers.attention_norm->value, tape.inverse_rms, stream, grad,
                       layers.attention_norm->gradient);
}

}  // namespace lrqat

#endif  // LRQAT_NN_LLAMA_BLOCK_HPP
