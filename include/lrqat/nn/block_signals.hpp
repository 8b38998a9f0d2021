// SPDX-License-Identifier: MIT
// nn/block_signals.hpp: copies of what passes through the blocks of a model.
#ifndef LRQAT_NN_BLOCK_SIGNALS_HPP
#define LRQAT_NN_BLOCK_SIGNALS_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/nn/block_guide.hpp>
#include <lrqat/nn/llama_block.hpp>
#include <lrqat/nn/rows.hpp>  // copy_to

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lrqat {

/// A matrix of its own, whose memory only grows.
template <class T>
class MatrixCopy {
 public:
  void take(MatrixView<const T> from) {
    shape_ = from.shape();
    if (values_.size() < shape_.size()) values_.resize(shape_.size());
    copy_to<T>(from, MatrixView<T>(values_.data(), shape_.rows, shape_.cols));
  }
  /// Of the last take(); empty before.
  MatrixView<const T> view() const { return {values_.data(), shape_.rows, shape_.cols}; }

 private:
  AlignedVector<T> values_;
  Shape shape_{};
};

/// A guide that changes nothing and keeps what it is told to, for each block until the next pass.
template <class T>
class BlockSignals : public BlockGuide<T> {
 public:
  struct Kept {
    bool heads = false;  // query, key and log_sum_exp
    bool context = false;
    bool output = false;
    bool streams = false;  // middle and the block's output
  };
  struct Block {
    MatrixCopy<T> query, key, log_sum_exp, context, output, middle, stream;
  };

  explicit BlockSignals(std::size_t blocks) : blocks_(blocks) {}

  /// From the next pass on.
  void keep(const Kept& kept) { kept_ = kept; }
  const Block& operator[](std::size_t block) const { return blocks_[block]; }

  /// model.hidden(), watched. Errors: a model that has a guide, who would not be asked.
  template <class Model>
  MatrixView<const T> hidden(Model& model, std::span<const std::uint16_t> tokens,
                             std::size_t batch, std::size_t length) {
    const Guided watched(model, *this);
    expects(watched.before() == nullptr, "BlockSignals: the watched model has a guide already");
    return model.hidden(tokens, batch, length);
  }

  void context(std::size_t block, const BlockTape<T>& tape) override {
    if (kept_.heads) {
      blocks_[block].query.take(tape.query);
      blocks_[block].key.take(tape.key);
      blocks_[block].log_sum_exp.take(tape.log_sum_exp);
    }
    if (kept_.context) blocks_[block].context.take(tape.attended);
  }
  void output(std::size_t block, MatrixView<T> y) override {
    if (kept_.output) blocks_[block].output.take(y);
  }
  void done(std::size_t block, const BlockTape<T>& tape, MatrixView<const T> stream) override {
    if (!kept_.streams) return;
    blocks_[block].middle.take(tape.middle);
    blocks_[block].stream.take(stream);
  }

 private:
  std::vector<Block> blocks_;
  Kept kept_;
};

}  // namespace lrqat

#endif  // LRQAT_NN_BLOCK_SIGNALS_HPP
