// SPDX-License-Identifier: MIT
// nn/block_guide.hpp: somebody who reads and replaces signals inside the blocks of a model.
#ifndef LRQAT_NN_BLOCK_GUIDE_HPP
#define LRQAT_NN_BLOCK_GUIDE_HPP

#include <lrqat/core/matrix_view.hpp>

#include <cstddef>

namespace lrqat {

template <class T>
struct BlockTape;

/// A LLaMA calls its guide (Llama::set_guide) in passes of whole batches, block by block. On the
/// way forward it may read and overwrite what it is given. On the way back it gets the gradient of
/// the same thing as it stood after that, and makes it the gradient of what stood there before:
/// adds that of a loss of its own, or sets it to 0 where it had put something else in place.
/// Everything is (tokens, ...), tokens being batch * length, sequence after sequence.
///
/// With Recompute::per_block the forward calls of a block come a second time, with the same
/// numbers, just before its backward ones. A call does nothing unless it is overridden.
template <class T>
class BlockGuide {
 public:
  virtual ~BlockGuide() = default;

  /// tape.query and tape.key, rotated and quantized: what attention is about to read.
  virtual void heads(std::size_t /*block*/, const BlockTape<T>& /*tape*/) {}
  /// tape.attended: what attention gave.
  virtual void context(std::size_t /*block*/, const BlockTape<T>& /*tape*/) {}
  /// (dim) What the layer behind it gave, before the residual stream is added.
  virtual void output(std::size_t /*block*/, MatrixView<T> /*y*/) {}
  /// The whole block: tape.middle, and its output (dim).
  virtual void done(std::size_t /*block*/, const BlockTape<T>& /*tape*/,
                    MatrixView<const T> /*stream*/) {}

  /// Of the block's output.
  virtual void stream_backward(std::size_t /*block*/, MatrixView<const T> /*stream*/,
                               MatrixView<T> /*grad*/) {}
  /// Of tape.middle.
  virtual void middle_backward(std::size_t /*block*/, const BlockTape<T>& /*tape*/,
                               MatrixView<T> /*grad*/) {}
  virtual void output_backward(std::size_t /*block*/, MatrixView<T> /*grad*/) {}
  virtual void context_backward(std::size_t /*block*/, const BlockTape<T>& /*tape*/,
                                MatrixView<T> /*grad*/) {}
  virtual void heads_backward(std::size_t /*block*/, const BlockTape<T>& /*tape*/,
                              MatrixView<T> /*grad_query*/, MatrixView<T> /*grad_key*/) {}
  /// (dim) Of tape.normed, as far as it comes from query and key: 0 detaches their inputs.
  virtual void heads_input_backward(std::size_t /*block*/, MatrixView<T> /*grad*/) {}
};

/// Makes `guide` the guide of a model while it lives, then whoever was before.
template <class Model>
class Guided {
 public:
  Guided(Model& model, BlockGuide<typename Model::scalar>& guide)
      : model_(model), before_(model.set_guide(&guide)) {}
  ~Guided() { model_.set_guide(before_); }
  Guided(const Guided&) = delete;
  Guided& operator=(const Guided&) = delete;

  /// Who was there before, or null.
  BlockGuide<typename Model::scalar>* before() const { return before_; }

 private:
  Model& model_;
  BlockGuide<typename Model::scalar>* before_;
};

}  // namespace lrqat

#endif  // LRQAT_NN_BLOCK_GUIDE_HPP
