// SPDX-License-Identifier: MIT
// nn/token_table.hpp: a row of numbers for each token, as embedding and as head of a model.
#ifndef LRQAT_NN_TOKEN_TABLE_HPP
#define LRQAT_NN_TOKEN_TABLE_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/bf16.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/clear.hpp>
#include <lrqat/linear/dense_product.hpp>
#include <lrqat/nn/embedding.hpp>
#include <lrqat/nn/rows.hpp>  // for_rows

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace lrqat {

/// A table (vocab, dim) in T, which can be trained, or in bfloat16, which stays frozen and takes
/// half the memory of a float one. All arithmetic is in T: a table in bfloat16 gives the bits of
/// one in T that holds the same numbers.
template <class T>
class TokenTable {
 public:
  /// None: the head of a model whose embedding is its head.
  TokenTable() = default;
  /// @throws Error when there are not as many values as the shape (vocab, dim) has
  TokenTable(Shape shape, AlignedVector<T> values) : shape_(shape), values_(std::move(values)) {
    expect_size(values_.size());
  }
  /// The same in bfloat16.
  TokenTable(Shape shape, AlignedVector<bf16> values) : shape_(shape), rounded_(std::move(values)) {
    expect_size(rounded_.size());
  }

  Shape shape() const { return shape_; }
  bool is_bf16() const { return !rounded_.empty(); }
  /// (vocab, dim) in T; empty for a table in bfloat16.
  std::span<const T> values() const { return values_; }
  std::size_t bytes() const {
    return values_.size() * sizeof(T) + gradient_.size() * sizeof(T) +
           rounded_.size() * sizeof(bf16);
  }

  /// Gives the table a gradient, or takes it away. @throws Error for a table in bfloat16 to train
  void train(bool trained) {
    expects(!trained || !is_bf16(), "TokenTable: a table in bfloat16 stays frozen; train one in ",
            "float");
    gradient_.assign(trained ? values_.size() : 0, T(0));
  }
  /// None when frozen.
  Parameters<T> parameter(const char* name) {
    Parameters<T> all;
    if (!gradient_.empty()) all.push_back({name, Role::embedding, values_, gradient_});
    return all;
  }

  /// y (tokens, dim): the row of each token. @throws Error for a token outside the vocabulary
  void look_up(std::span<const std::uint16_t> tokens, MatrixView<T> y) const {
    if (is_bf16())
      embedding_forward<T, bf16>(rounded_view(), tokens, y);
    else
      embedding_forward<T>(view(), tokens, y);
  }
  /// Adds grad_y (tokens, dim) to the gradients of the tokens' rows, where the table is trained.
  void look_up_backward(std::span<const std::uint16_t> tokens, MatrixView<const T> grad_y) {
    if (!gradient_.empty()) embedding_backward<T>(tokens, grad_y, gradient_view());
  }

  /// The table as head: x (tokens, dim) -> logits (tokens, vocab), overwritten.
  void project(MatrixView<const T> x, MatrixView<T> logits) const {
    if (!is_bf16()) return dense_forward<T>(x, view(), logits);
    for_each_piece([&](std::size_t first, MatrixView<const T> piece) {
      dense_forward<T>(x, piece, logits.block(0, first, x.rows, piece.rows));
    });
  }
  /// grad_logits (tokens, vocab) -> grad_x (tokens, dim), overwritten; adds to the gradient of a
  /// trained table.
  void project_backward(MatrixView<const T> x, MatrixView<const T> grad_logits,
                        MatrixView<T> grad_x) {
    if (is_bf16()) {
      kernel::clear(grad_x);
      for_each_piece([&](std::size_t first, MatrixView<const T> piece) {
        dense_add_input_gradient<T>(grad_logits.block(0, first, x.rows, piece.rows), piece, grad_x);
      });
      return;
    }
    dense_input_gradient<T>(grad_logits, view(), grad_x);
    if (!gradient_.empty()) dense_weight_gradient<T>(x, grad_logits, gradient_view());
  }

 private:
  void expect_size(std::size_t size) const {
    expects(size == shape_.size(), "TokenTable: ", size, " numbers for (", shape_.rows, ", ",
            shape_.cols, ")");
  }
  MatrixView<const T> view() const { return {values_.data(), shape_.rows, shape_.cols}; }
  MatrixView<const bf16> rounded_view() const {
    return {rounded_.data(), shape_.rows, shape_.cols};
  }
  MatrixView<T> gradient_view() { return {gradient_.data(), shape_.rows, shape_.cols}; }

  /// use(first token, rows (tokens, dim) in T) for pieces of some MiB, in ascending order.
  template <class Use>
  void for_each_piece(const Use& use) const {
    constexpr std::size_t numbers = std::size_t{1} << 20;
    const std::size_t fit = numbers / std::max<std::size_t>(shape_.cols, 1);
    const std::size_t height = std::max(rows_per_task, fit / rows_per_task * rows_per_task);
    struct Piece;
    for (std::size_t first = 0; first < shape_.rows; first += height) {
      const std::size_t rows = std::min(height, shape_.rows - first);
      const MatrixView<const bf16> from = rounded_view().block(first, 0, rows, shape_.cols);
      const MatrixView<T> piece = scratch<Piece, T>(rows, shape_.cols);
      for_rows(rows, [=](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row)
          kernel::for_each_lane(from.cols, [to = piece.row(row).data(),
                                            source = from.row(row).data()](std::size_t i) {
            to[i] = static_cast<T>(static_cast<float>(source[i]));
          });
      });
      use(first, MatrixView<const T>(piece));
    }
  }

  Shape shape_;
  AlignedVector<T> values_, gradient_;  // gradient_ is empty when frozen
  AlignedVector<bf16> rounded_;         // instead of values_
};

}  // namespace lrqat

#endif  // LRQAT_NN_TOKEN_TABLE_HPP
