// SPDX-License-Identifier: MIT
// nn/attention_maps.hpp: how alike two attention maps are, and how spread queries and keys.
#ifndef LRQAT_NN_ATTENTION_MAPS_HPP
#define LRQAT_NN_ATTENTION_MAPS_HPP

#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/kernel/exp.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/nn/attention_scores.hpp>
#include <lrqat/nn/rows.hpp>  // for_rows

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace lrqat {

/// What an attention map is made of.
template <class T>
struct MapSource {
  MatrixView<const T> query, key;   // shape.query_shape(), shape.key_shape()
  MatrixView<const T> log_sum_exp;  // shape.log_sum_exp_shape()
};

/// Sums over all pairs of one head of one sequence.
struct MapProducts {
  double both = 0, own = 0, wanted = 0;  // own wanted, own^2, wanted^2

  /// Of the two maps as vectors; 0 where one is 0.
  double cosine() const {
    const double lengths = std::sqrt(own) * std::sqrt(wanted);
    return lengths > 0 ? both / lengths : 0.0;
  }
};

namespace detail {

template <class T>
void expect_source(const AttentionShape& shape, const MapSource<T>& source) {
  expect_attention(shape);
  expect_shape("query", source.query.shape(), shape.query_shape());
  expect_shape("key", source.key.shape(), shape.key_shape());
  expect_shape("log_sum_exp", source.log_sum_exp.shape(), shape.log_sum_exp_shape());
}

/// p (rows, keys): the probabilities of attention, 0 where a query does not see a key.
template <class T>
void part_probabilities(const AttentionShape& shape, const ScorePart& part,
                        const MapSource<T>& source, MatrixView<T> p) {
  part_scores(shape, part, source.query, source.key, p);
  kernel::vectorised([&part, p, sums = source.log_sum_exp.row(
                                    part.sequence * shape.heads + part.head).data()] {
    for (std::size_t r = 0; r < part.rows; ++r) {
      T* const row = p.row(r).data();
      const T sum = sums[part.first + r];
      const std::size_t visible = part.first + r + 1;
      kernel::for_each_lane(visible,
                            [=](std::size_t c) { row[c] = kernel::bounded_exp(row[c] - sum); });
      for (std::size_t c = visible; c < p.cols; ++c) row[c] = 0;
    }
  });
}

}  // namespace detail

/// Compares two maps of one shape, head by head: (sequences * heads).
template <class T>
std::vector<MapProducts> map_products(const AttentionShape& shape, const MapSource<T>& own,
                                      const MapSource<T>& wanted) {
  detail::expect_source(shape, own);
  detail::expect_source(shape, wanted);
  std::vector<MapProducts> products(shape.sequences * shape.heads);
  detail::for_each_score_part(shape, [&](std::size_t, const detail::ScorePart& part) {
    struct Own;
    struct Wanted;
    const MatrixView<T> p = scratch<Own, T>(part.rows, part.keys());
    const MatrixView<T> w = scratch<Wanted, T>(part.rows, part.keys());
    detail::part_probabilities(shape, part, own, p);
    detail::part_probabilities(shape, part, wanted, w);
    MapProducts& sums = products[part.sequence * shape.heads + part.head];
    for (std::size_t r = 0; r < part.rows; ++r)
      for (std::size_t c = 0; c < part.keys(); ++c) {
        const double a = static_cast<double>(p(r, c)), b = static_cast<double>(w(r, c));
        sums.both += a * b;
        sums.own += a * a;
        sums.wanted += b * b;
      }
  });
  return products;
}

/// Adds `factor` times the gradients of the sum of all cosines to those of the own query and key.
/// @param products  of map_products
template <class T>
void add_cosine_gradients(const AttentionShape& shape, const MapSource<T>& own,
                          const MapSource<T>& wanted, std::span<const MapProducts> products,
                          double factor, MatrixView<T> grad_query, MatrixView<T> grad_key) {
  detail::expect_source(shape, own);
  detail::expect_source(shape, wanted);
  detail::expect_shape("grad_query", grad_query.shape(), shape.query_shape());
  detail::expect_shape("grad_key", grad_key.shape(), shape.key_shape());
  expects(products.size() == shape.sequences * shape.heads, "add_cosine_gradients: products of ",
          products.size(), " maps, there are ", shape.sequences * shape.heads);
  detail::for_each_score_part(shape, [&](std::size_t, const detail::ScorePart& part) {
    struct Own;
    struct Wanted;
    const MapProducts& sums = products[part.sequence * shape.heads + part.head];
    const double lengths = std::sqrt(sums.own) * std::sqrt(sums.wanted);
    if (!(lengths > 0)) return;
    const MatrixView<T> p = scratch<Own, T>(part.rows, part.keys());
    const MatrixView<T> g = scratch<Wanted, T>(part.rows, part.keys());
    detail::part_probabilities(shape, part, own, p);
    detail::part_probabilities(shape, part, wanted, g);
    const T to_wanted = static_cast<T>(factor / lengths);
    const T from_own = static_cast<T>(factor * sums.cosine() / sums.own);
    for (std::size_t r = 0; r < part.rows; ++r) {
      T inner = 0;  // through softmax: p (dL/dp - sum p dL/dp)
      for (std::size_t c = 0; c < part.keys(); ++c) {
        g(r, c) = to_wanted * g(r, c) - from_own * p(r, c);
        inner += p(r, c) * g(r, c);
      }
      for (std::size_t c = 0; c < part.keys(); ++c) g(r, c) = p(r, c) * (g(r, c) - inner);
    }
    detail::add_part_gradients(shape, part, g, own.query, own.key, grad_query, grad_key);
  });
}

namespace detail {

struct Variance {
  double mean = 0, value = 0;  // the variance with n - 1 below
};

template <class T>
Variance variance(std::span<const T> x) {
  Variance found;
  for (const T each : x) found.mean += static_cast<double>(each);
  found.mean /= static_cast<double>(x.size());
  for (const T each : x) {
    const double apart = static_cast<double>(each) - found.mean;
    found.value += apart * apart;
  }
  found.value /= static_cast<double>(x.size() - 1);
  return found;
}

}  // namespace detail

/// The sum over all heads of all tokens of log(1 + variance of the head's numbers), the variance
/// with n - 1 below: what EdgeQAT takes for the entropy of queries or keys.
/// @param x  (tokens, heads * head_dim)   @pre  head_dim >= 2 (checked)
template <class T>
double head_entropy(MatrixView<const T> x, std::size_t head_dim) {
  expects(head_dim >= 2 && x.cols % head_dim == 0, "head_entropy: ", x.cols,
          " numbers in heads of ", head_dim);
  double sum = 0;
  for (std::size_t t = 0; t < x.rows; ++t)
    for (std::size_t first = 0; first < x.cols; first += head_dim)
      sum +=
          std::log1p(detail::variance(std::span<const T>(x.row(t)).subspan(first, head_dim)).value);
  return sum;
}

/// Adds `factor` times the gradients of head_entropy.
template <class T>
void add_entropy_gradients(MatrixView<const T> x, std::size_t head_dim, double factor,
                           MatrixView<T> grad) {
  expects(grad.shape() == x.shape() && head_dim >= 2 && x.cols % head_dim == 0,
          "add_entropy_gradients: ", x.cols, " numbers in heads of ", head_dim,
          ", their gradient has ", grad.cols);
  for_rows(x.rows, [=](std::size_t begin, std::size_t end) {
    for (std::size_t t = begin; t < end; ++t)
      for (std::size_t first = 0; first < x.cols; first += head_dim) {
        const auto found = detail::variance(std::span<const T>(x.row(t)).subspan(first, head_dim));
        const double each = 2 * factor / (static_cast<double>(head_dim - 1) * (1 + found.value));
        for (std::size_t i = first; i < first + head_dim; ++i)
          grad(t, i) += static_cast<T>(each * (static_cast<double>(x(t, i)) - found.mean));
      }
  });
}

}  // namespace lrqat

#endif  // LRQAT_NN_ATTENTION_MAPS_HPP
