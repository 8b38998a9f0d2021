// SPDX-License-Identifier: MIT
// nn/rope.hpp: rotary position embedding on the interleaved pairs of a head.
#ifndef LRQAT_NN_ROPE_HPP
#define LRQAT_NN_ROPE_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/numeric.hpp>  // fused_multiply_add
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/nn/rope_scaling.hpp>
#include <lrqat/nn/rows.hpp>  // for_rows

#include <cmath>
#include <cstddef>
#include <vector>

namespace lrqat {

/// The rotation of position p turns the pair (2i, 2i + 1) of every head by p theta^(-2i / head_dim)
/// (Su et al. 2021), divided as RopeScaling says. Angles, sines and cosines are computed in double;
/// a turn has the same bits on every instruction set, because a quantizer may follow.
template <class T>
class Rope {
 public:
  /// Errors: an odd head_dim; theta <= 0; those of check_rope_scaling.
  Rope(std::size_t head_dim, double theta, const RopeScaling& scaling = {}) : pairs_(head_dim / 2) {
    expects(head_dim % 2 == 0 && head_dim > 0, "Rope: head_dim is ", head_dim,
            ", pairs need an even number");
    expects(theta > 0, "Rope: theta is ", theta, ", it must be positive");
    const AlignedVector<float> divisors = rope_divisors(scaling, head_dim, theta, "Rope");
    for (std::size_t i = 0; i < pairs_; ++i)
      frequencies_.push_back(rope_frequency(i, head_dim, theta) / static_cast<double>(divisors[i]));
  }

  std::size_t head_dim() const { return 2 * pairs_; }

  /// Makes positions [0, count) available.
  void prepare(std::size_t count) {
    const std::size_t known = turns_.size() / (2 * pairs_);
    if (count <= known) return;
    turns_.resize(count * 2 * pairs_);
    columns_.resize((count + side - 1) / side * side * 2 * pairs_);
    for (std::size_t position = known; position < count; ++position)
      for (std::size_t i = 0; i < pairs_; ++i) {
        const double angle = static_cast<double>(position) * frequencies_[i];
        const T cosine = static_cast<T>(std::cos(angle)), sine = static_cast<T>(std::sin(angle));
        T* const turn = &turns_[(position * pairs_ + i) * 2];
        T* const column = &columns_[(position / side * pairs_ + i) * 2 * side + position % side];
        turn[0] = column[0] = cosine;
        turn[1] = column[side] = sine;
      }
  }

  /// Rotates in place. Row r of x, (tokens, heads * head_dim), is at position
  /// first_position + r % length. Errors: columns that are no multiple of head_dim; positions that
  /// were not prepared.
  void forward(MatrixView<T> x, std::size_t length, std::size_t first_position = 0) const {
    rotate(x, length, first_position, T(1));
  }

  /// Positions that forward_columns takes at once.
  static constexpr std::size_t side = 64;

  /// Rotates one head in place, on one thread: x (head_dim, positions), from first_position on.
  /// Errors: more than 64 positions, or the first no multiple of 64; those of forward.
  void forward_columns(MatrixView<T> x, std::size_t first_position) const {
    expects(x.rows == 2 * pairs_ && x.cols <= side && first_position % side == 0,
            "Rope: columns of ", x.rows, " numbers at ", x.cols, " positions from ", first_position,
            " on; a head has ", 2 * pairs_, ", 64 positions from a multiple of 64 on are rotated");
    expect_prepared(first_position + x.cols);
    kernel::vectorised([=, this] {
      const T* turn = columns_.data() + first_position / side * pairs_ * 2 * side;
      for (std::size_t i = 0; i < pairs_; ++i, turn += 2 * side) {
        kernel::for_each_lane(x.cols, [even = x.row(2 * i).data(), odd = x.row(2 * i + 1).data(),
                                       turn](std::size_t c) {
          turn_pair(even[c], odd[c], turn[c], turn[side + c]);
        });
      }
    });
  }

  /// The gradient: rotates in place by the opposite angles.
  void backward(MatrixView<T> grad, std::size_t length, std::size_t first_position = 0) const {
    rotate(grad, length, first_position, T(-1));
  }

 private:
  void rotate(MatrixView<T> x, std::size_t length, std::size_t first_position, T sense) const {
    expects(x.cols % (2 * pairs_) == 0, "Rope: x has ", x.cols,
            " columns, no multiple of the head dimension ", 2 * pairs_);
    const std::size_t last = x.rows == 0 ? 0 : first_position + (x.rows < length ? x.rows : length);
    expects(x.rows == 0 || length > 0, "Rope: sequences of no tokens");
    expect_prepared(last);
    for_rows(x.rows, [=, this](std::size_t first_row, std::size_t last_row) {
      const std::size_t heads = x.cols / (2 * pairs_), pairs = pairs_;
      for (std::size_t row = first_row; row < last_row; ++row) {
        const T* const turn = turns_.data() + (first_position + row % length) * 2 * pairs;
        T* const values = x.row(row).data();
        for (std::size_t head = 0; head < heads; ++head)
          for (std::size_t i = 0; i < pairs; ++i) {
            T* const pair = values + (head * pairs + i) * 2;
            turn_pair(pair[0], pair[1], turn[2 * i], sense * turn[2 * i + 1]);
          }
      }
    });
  }

  LRQAT_INLINE static void turn_pair(T& even, T& odd, T cosine, T sine) {
    const T before = even;
    even = fused_multiply_add(before, cosine, -(odd * sine));
    odd = fused_multiply_add(before, sine, odd * cosine);
  }

  void expect_prepared(std::size_t last) const {
    expects(last * 2 * pairs_ <= turns_.size(), "Rope: ", last, " positions are needed, ",
            turns_.size() / (2 * pairs_), " are prepared");
  }

  std::size_t pairs_;
  std::vector<double> frequencies_;  // (pairs), radians per position
  AlignedVector<T> turns_;           // (positions, pairs, 2): cosine, sine
  AlignedVector<T> columns_;  // (positions / 64, pairs, 2, 64): the same with positions as lanes
};

}  // namespace lrqat

#endif  // LRQAT_NN_ROPE_HPP
