// SPDX-License-Identifier: MIT
// nn/attention.hpp: causal softmax attention with grouped queries, forward and backward.
#ifndef LRQAT_NN_ATTENTION_HPP
#define LRQAT_NN_ATTENTION_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/clear.hpp>
#include <lrqat/kernel/exp.hpp>
#include <lrqat/kernel/multiply.hpp>
#include <lrqat/kernel/transpose.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>

namespace lrqat {

/// Query i of a sequence sees its keys 0 ... keys - queries + i; query head h reads kv head
/// h / (heads / kv_heads).
struct AttentionShape {
  std::size_t sequences = 0;
  std::size_t queries = 0, keys = 0;    // of each sequence; queries <= keys
  std::size_t heads = 0, kv_heads = 0;  // heads is a multiple of kv_heads
  std::size_t head_dim = 0;

  std::size_t group() const { return heads / kv_heads; }
  Shape query_shape() const { return {sequences * queries, heads * head_dim}; }
  Shape key_shape() const { return {sequences * keys, kv_heads * head_dim}; }
  Shape log_sum_exp_shape() const { return {sequences * heads, queries}; }
};

namespace detail {

/// Scores are made, used and forgotten in squares of this side: 16 KiB of float.
inline constexpr std::size_t attention_side = 64;
/// Columns of a square that are computed: a multiple of the vector block of for_each_lane.
constexpr std::size_t whole_vectors(std::size_t count) { return (count + 15) / 16 * 16; }

inline void expect_shape(const char* what, Shape got, Shape wanted) {
  expects(got == wanted, "attention: ", what, " is (", got.rows, ", ", got.cols, "), wanted is (",
          wanted.rows, ", ", wanted.cols, ")");
}
inline void expect_attention(const AttentionShape& shape) {
  expects(shape.kv_heads > 0 && shape.heads % shape.kv_heads == 0, "attention: ", shape.heads,
          " heads are not a multiple of ", shape.kv_heads, " kv heads");
  expects(shape.queries <= shape.keys, "attention: ", shape.queries, " queries, but only ",
          shape.keys, " keys");
}

template <class T>
T attention_scale(const AttentionShape& shape) {
  return static_cast<T>(1 / std::sqrt(static_cast<double>(shape.head_dim)));
}

/// `rows` neighbouring rows of a square, from column `from` on, in one pass: their maximum joins
/// `maximum`. Several rows at once: each pass waits for what the one before it stored.
template <std::size_t rows, class T>
LRQAT_INLINE void raise_maximum(MatrixView<const T> scores, std::size_t row, std::size_t from,
                                T* maximum) {
  const T* const s = &scores(row, from);
  kernel::for_each_lane(scores.cols - from, [=, stride = scores.stride,
                                             largest = maximum + from](std::size_t c) {
    T best = largest[c];
    LRQAT_UNROLL
    for (std::size_t i = 0; i < rows; ++i) {
      const T score = s[i * stride + c];
      best = score > best ? score : best;
    }
    largest[c] = best;
  });
}

/// Likewise: the rows become e^(score - maximum), and their sum joins `sum`.
template <std::size_t rows, class T>
LRQAT_INLINE void take_powers(MatrixView<T> scores, std::size_t row, std::size_t from,
                              const T* maximum, T* sum) {
  T* const s = &scores(row, from);
  kernel::for_each_lane(scores.cols - from, [=, stride = scores.stride, largest = maximum + from,
                                             total = sum + from](std::size_t c) {
    T powers = 0;
    LRQAT_UNROLL
    for (std::size_t i = 0; i < rows; ++i) {
      const T p = kernel::bounded_exp(s[i * stride + c] - largest[c]);
      s[i * stride + c] = p;
      powers += p;
    }
    total[c] += powers;
  });
}

/// The scores of one square, transposed (keys, queries), become e^(score - maximum so far); the
/// running maximum and sum of each query follow, and rescale[q] is what earlier terms are worth.
/// Key `row` is visible from column first_visible + row on (a negative start means all columns).
///
/// Keys are taken four at a time, counted from the first of the square, and those hidden from a
/// query add 0: its sum does not depend on which other queries are there.
template <class T>
void softmax_square(MatrixView<T> scores, std::ptrdiff_t first_visible, T* maximum, T* sum,
                    T* rescale) {
  kernel::vectorised([=] {
    const std::size_t columns = scores.cols;
    const auto hidden_of = [=](std::size_t row) {
      const std::ptrdiff_t hidden = first_visible + static_cast<std::ptrdiff_t>(row);
      return hidden <= 0 ? std::size_t{0} : std::min(static_cast<std::size_t>(hidden), columns);
    };
    constexpr std::size_t together = 4;
    // Whole vectors of columns that see none of the four.
    const auto skipped_of = [=](std::size_t row) { return hidden_of(row) / 16 * 16; };
    kernel::for_each_lane(columns, [=](std::size_t c) { rescale[c] = maximum[c]; });
    for (std::size_t row = 0; row < scores.rows; ++row) {
      const std::size_t skipped = skipped_of(row / together * together);
      T* const s = scores.row(row).data();
      std::fill_n(s, skipped, T(0));
      for (std::size_t c = skipped; c < hidden_of(row); ++c)
        s[c] = -std::numeric_limits<T>::infinity();
    }
    for (std::size_t row = 0; row < scores.rows; row += together) {
      const std::size_t from = skipped_of(row);
      if (scores.rows - row >= together)
        raise_maximum<together, T>(scores, row, from, maximum);
      else
        for (std::size_t i = row; i < scores.rows; ++i)
          raise_maximum<1, T>(scores, i, from, maximum);
    }
    kernel::for_each_lane(columns, [=](std::size_t c) {
      rescale[c] = kernel::bounded_exp(rescale[c] - maximum[c]);
      sum[c] *= rescale[c];
    });
    for (std::size_t row = 0; row < scores.rows; row += together) {
      const std::size_t from = skipped_of(row), rows = scores.rows - row;
      if (rows >= together)
        take_powers<together>(scores, row, from, maximum, sum);
      else if (rows == 3)
        take_powers<3>(scores, row, from, maximum, sum);
      else if (rows == 2)
        take_powers<2>(scores, row, from, maximum, sum);
      else
        take_powers<1>(scores, row, from, maximum, sum);
    }
  });
}

/// Keys and values of one kv head of one sequence that lie in memory as they are read.
template <class T>
struct KeyRows {
  MatrixView<const T> key, value;  // (keys, head_dim)

  MatrixView<const T> keys(std::size_t first, std::size_t count) const {
    return key.block(first, 0, count, key.cols);
  }
  void key_columns(std::size_t first, MatrixView<T> columns) const {
    kernel::transpose(key.block(first, 0, columns.cols, key.cols), columns);
  }
  MatrixView<const T> values(std::size_t first, std::size_t count) const {
    return value.block(first, 0, count, value.cols);
  }
};

/// One head of one sequence, `rows` queries from `first` on. Everything is kept transposed, queries
/// along the rows of memory: maxima and sums over keys are then element-wise.
template <class T, class Keys>
void attend(const AttentionShape& shape, std::size_t first, MatrixView<const T> query,
            const Keys& source, MatrixView<T> output, T* log_sum_exp) {
  constexpr std::size_t side = attention_side;
  const std::size_t rows = query.rows, columns = whole_vectors(rows), dim = shape.head_dim;
  const std::size_t first_position = shape.keys - shape.queries + first;
  struct Scores;
  struct Queries;
  struct Outputs;
  const MatrixView<T> square = scratch<Scores, T>(side, side);
  const MatrixView<T> q(scratch<Queries, T>(dim, side).data, dim, columns, side);
  const MatrixView<T> out(scratch<Outputs, T>(dim, side).data, dim, columns, side);
  T maximum[side], sum[side], rescale[side];
  std::fill_n(maximum, side, -std::numeric_limits<T>::infinity());
  std::fill_n(sum, side, T(0));
  kernel::clear(q);
  kernel::clear(out);
  kernel::transpose(query, q.block(0, 0, dim, rows));
  const T scale = attention_scale<T>(shape);
  kernel::vectorised([=] {
    for (std::size_t d = 0; d < dim; ++d) {
      T* const values = q.row(d).data();
      kernel::for_each_lane(columns, [=](std::size_t c) { values[c] *= scale; });
    }
  });

  for (std::size_t key0 = 0; key0 < first_position + rows; key0 += side) {
    const std::size_t keys = std::min(side, first_position + rows - key0);
    const MatrixView<T> scores = square.block(0, 0, keys, columns);
    kernel::assign_product(kernel::left(source.keys(key0, keys)), q, scores);
    softmax_square(scores,
                   static_cast<std::ptrdiff_t>(key0) - static_cast<std::ptrdiff_t>(first_position),
                   maximum, sum, rescale);
    kernel::vectorised([=, &rescale] {
      const T* const factor = rescale;
      for (std::size_t d = 0; d < dim; ++d) {
        T* const values = out.row(d).data();
        kernel::for_each_lane(columns, [=](std::size_t c) { values[c] *= factor[c]; });
      }
    });
    kernel::multiply(kernel::left_transposed(source.values(key0, keys)),
                     MatrixView<const T>(scores), out);
  }

  for (std::size_t r = 0; r < rows; ++r) {
    log_sum_exp[r] = maximum[r] + std::log(sum[r]);
    rescale[r] = T(1) / sum[r];
  }
  for (std::size_t d = 0; d < dim; ++d)
    for (std::size_t r = 0; r < rows; ++r) out(d, r) *= rescale[r];
  kernel::transpose(MatrixView<const T>(out.block(0, 0, dim, rows)), output);
}

/// A row of scores becomes e^(score - maximum so far); maximum and sum follow, and the result is
/// what earlier terms are worth. The bits of softmax_square for a query that sees all keys.
template <class T>
T softmax_row(std::span<T> scores, T& maximum, T& sum) {
  T rescale = 0;
  kernel::vectorised([=, &maximum, &sum, &rescale] {
    T* const s = scores.data();
    const std::size_t keys = scores.size();
    T largest = maximum;
    for (std::size_t key = 0; key < keys; ++key) largest = s[key] > largest ? s[key] : largest;
    rescale = kernel::bounded_exp(maximum - largest);
    maximum = largest;
    kernel::for_each_lane(keys, [=](std::size_t i) { s[i] = kernel::bounded_exp(s[i] - largest); });
    T total = sum * rescale;
    for (std::size_t key = 0; key < keys; key += 4) {
      T powers = 0;
      for (std::size_t i = key; i < std::min(keys, key + 4); ++i) powers += s[i];
      total += powers;
    }
    sum = total;
  });
  return rescale;
}

/// One query in all heads that read one kv head, with the bits of attend. Keys are transposed in
/// place of queries: a square of scores would be computed for 16 of them.
/// @param query, output  (group, head_dim)
/// @param log_sum_exp    (group, 1)
template <class T, class Keys>
void attend_once(const AttentionShape& shape, MatrixView<const T> query, const Keys& source,
                 MatrixView<T> output, MatrixView<T> log_sum_exp) {
  constexpr std::size_t side = attention_side;
  const std::size_t group = query.rows, dim = shape.head_dim;
  struct Scores;
  struct Transposed;
  struct Query;
  struct Sums;
  const MatrixView<T> q = scratch<Query, T>(group, dim);
  const MatrixView<T> all_scores = scratch<Scores, T>(group, side);
  const MatrixView<T> transposed = scratch<Transposed, T>(dim, side);
  const MatrixView<T> sums = scratch<Sums, T>(group, 2);  // maximum and sum
  const T scale = attention_scale<T>(shape);
  for (std::size_t r = 0; r < group; ++r) {
    for (std::size_t d = 0; d < dim; ++d) q(r, d) = query(r, d) * scale;
    sums(r, 0) = -std::numeric_limits<T>::infinity();
    sums(r, 1) = 0;
  }
  kernel::clear(output);
  for (std::size_t key0 = 0; key0 < shape.keys; key0 += side) {
    const std::size_t keys = std::min(side, shape.keys - key0);
    const MatrixView<T> columns = transposed.block(0, 0, dim, keys);
    const MatrixView<T> scores = all_scores.block(0, 0, group, keys);
    source.key_columns(key0, columns);
    kernel::assign_product(kernel::left(q), MatrixView<const T>(columns), scores);
    for (std::size_t r = 0; r < group; ++r) {
      const T rescale = softmax_row(scores.row(r), sums(r, 0), sums(r, 1));
      for (T& y : output.row(r)) y *= rescale;
    }
    kernel::multiply(kernel::left(scores), source.values(key0, keys), output);
  }
  for (std::size_t r = 0; r < group; ++r) {
    log_sum_exp(r, 0) = sums(r, 0) + std::log(sums(r, 1));
    const T inverse = T(1) / sums(r, 1);
    for (T& y : output.row(r)) y *= inverse;
  }
}

}  // namespace detail

/// softmax(query key^T / sqrt(head_dim)) value under the causal mask, for every head. The scores
/// exist in squares of 64 x 64 only (the softmax is carried along the keys: Milakov and Gimelshein
/// 2018, Dao et al. 2022); threads share out the squares' rows, and bits do not depend on them.
///
/// @param query       shape.query_shape(): (sequences * queries, heads * head_dim)
/// @param source_of   (sequence, kv head) -> its keys and values: keys(first, count) and
///                    values(first, count) give (count, head_dim), valid until the same is asked
///                    for again on the same thread; key_columns(first, columns) fills (head_dim,
///                    count). Asked for in tiles of at most 64, `first` a multiple of 64.
/// @param output      like query, overwritten
/// @param log_sum_exp shape.log_sum_exp_shape(): (sequences * heads, queries), overwritten; of the
///                    scaled scores, all that the backward pass needs to make them again
template <class T, class SourceOf>
void attention_over(const AttentionShape& shape, MatrixView<const std::type_identity_t<T>> query,
                    const SourceOf& source_of, MatrixView<T> output,
                    MatrixView<std::type_identity_t<T>> log_sum_exp) {
  detail::expect_attention(shape);
  detail::expect_shape("query", query.shape(), shape.query_shape());
  detail::expect_shape("output", output.shape(), shape.query_shape());
  detail::expect_shape("log_sum_exp", log_sum_exp.shape(), shape.log_sum_exp_shape());
  constexpr std::size_t side = detail::attention_side;
  const std::size_t dim = shape.head_dim, group = shape.group();
  if (shape.queries == 1)
    return parallel_for(shape.sequences * shape.kv_heads, [&](std::size_t task) {
      const std::size_t sequence = task / shape.kv_heads, kv_head = task % shape.kv_heads;
      const std::size_t head = kv_head * group;
      const auto heads = [=](auto all) {
        return decltype(all)(&all(sequence, head * dim), group, dim);
      };
      detail::attend_once<T>(shape, heads(query), source_of(sequence, kv_head), heads(output),
                             log_sum_exp.block(sequence * shape.heads + head, 0, group, 1));
    });
  const std::size_t blocks = (shape.queries + side - 1) / side;
  parallel_for(shape.sequences * shape.heads * blocks, [&](std::size_t task) {
    const std::size_t first = task % blocks * side, head_of_all = task / blocks;
    const std::size_t head = head_of_all % shape.heads, sequence = head_of_all / shape.heads;
    const std::size_t rows = std::min(side, shape.queries - first);
    const std::size_t row0 = sequence * shape.queries + first;
    detail::attend<T>(shape, first, query.block(row0, head * dim, rows, dim),
                      source_of(sequence, head / group),
                      output.block(row0, head * dim, rows, dim),
                      log_sum_exp.row(head_of_all).data() + first);
  });
}

/// The same over keys and values in memory.
/// @param key, value  shape.key_shape(): (sequences * keys, kv_heads * head_dim)
template <class T>
void attention_forward(const AttentionShape& shape, MatrixView<const std::type_identity_t<T>> query,
                       MatrixView<const std::type_identity_t<T>> key,
                       MatrixView<const std::type_identity_t<T>> value, MatrixView<T> output,
                       MatrixView<std::type_identity_t<T>> log_sum_exp) {
  detail::expect_attention(shape);
  detail::expect_shape("query", query.shape(), shape.query_shape());
  detail::expect_shape("key", key.shape(), shape.key_shape());
  detail::expect_shape("value", value.shape(), shape.key_shape());
  const auto source_of = [&](std::size_t sequence, std::size_t kv_head) {
    const auto part = [&](MatrixView<const T> all) {
      return all.block(sequence * shape.keys, kv_head * shape.head_dim, shape.keys, shape.head_dim);
    };
    return detail::KeyRows<T>{part(key), part(value)};
  };
  attention_over<T>(shape, query, source_of, output, log_sum_exp);
}

}  // namespace lrqat

#endif  // LRQAT_NN_ATTENTION_HPP
