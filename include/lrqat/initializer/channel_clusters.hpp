// SPDX-License-Identifier: MIT
// initializer/channel_clusters.hpp: channels of similar range next to each other, with one scale.
#ifndef LRQAT_INITIALIZER_CHANNEL_CLUSTERS_HPP
#define LRQAT_INITIALIZER_CHANNEL_CLUSTERS_HPP

#include <lrqat/concept/grid.hpp>
#include <lrqat/concept/initializer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/permutation.hpp>
#include <lrqat/initializer/range.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace lrqat {

/// Channels in a new order, in which cluster c is the run [first[c], first[c + 1]).
struct ChannelClusters {
  std::vector<std::uint32_t> order;  // (channels) the channel that comes k-th
  std::vector<std::size_t> first;    // (clusters + 1), from 0 to the number of channels

  std::size_t clusters() const { return first.size() - 1; }
};

/// RPTQ's reordering (Yuan et al., arXiv 2304.01089): K-means on the points (max, min) of the
/// channels. Lloyd's steps until no channel moves, 100 at most. The same clusters every time: the
/// published code starts from random centres (scikit-learn's k-means++), here they are those of the
/// channels at equal steps of the order by (max, min); a channel equally near to two centres goes to
/// the first; an empty cluster takes the channel that is farthest from its centre. So there are
/// always as many clusters as asked for, in the order of their centres, channels ascending in each.
///
/// @param low, high  (channels) extremes over tokens
/// Errors: extremes that are not finite or in the wrong order; no cluster, or more than channels.
inline ChannelClusters cluster_channels(std::span<const float> low, std::span<const float> high,
                                        std::size_t clusters) {
  detail::expect_ranges("cluster_channels", low, high);
  const std::size_t channels = low.size();
  expects(clusters >= 1 && clusters <= channels, "cluster_channels: ", clusters, " clusters of ",
          channels, " channels");

  struct Point {
    double high, low;
  };
  std::vector<Point> points(channels), centres(clusters);
  for (std::size_t j = 0; j < channels; ++j)
    points[j] = {static_cast<double>(high[j]), static_cast<double>(low[j])};
  const auto before = [](const Point& a, const Point& b) {
    return std::pair(a.high, a.low) < std::pair(b.high, b.low);
  };
  const auto apart = [](const Point& a, const Point& b) {
    return (a.high - b.high) * (a.high - b.high) + (a.low - b.low) * (a.low - b.low);
  };
  std::vector<std::uint32_t> sorted(channels);
  std::iota(sorted.begin(), sorted.end(), 0u);
  std::stable_sort(sorted.begin(), sorted.end(), [&](std::uint32_t a, std::uint32_t b) {
    return before(points[a], points[b]);
  });
  // The middle channels of equal shares.
  for (std::size_t c = 0; c < clusters; ++c)
    centres[c] = points[sorted[(2 * c + 1) * channels / (2 * clusters)]];

  std::vector<std::size_t> cluster_of(channels, clusters), sizes(clusters);
  for (int step = 0; step < 100; ++step) {
    std::vector<std::size_t> nearest(channels);
    sizes.assign(clusters, 0);
    for (std::size_t j = 0; j < channels; ++j) {
      for (std::size_t c = 1; c < clusters; ++c)
        if (apart(points[j], centres[c]) < apart(points[j], centres[nearest[j]])) nearest[j] = c;
      ++sizes[nearest[j]];
    }
    for (std::size_t c = 0; c < clusters; ++c) {
      if (sizes[c] > 0) continue;
      std::size_t farthest = channels;
      double distance = -1;
      for (std::size_t j = 0; j < channels; ++j)
        if (sizes[nearest[j]] > 1 && apart(points[j], centres[nearest[j]]) > distance) {
          farthest = j;
          distance = apart(points[j], centres[nearest[j]]);
        }
      --sizes[nearest[farthest]];
      nearest[farthest] = c;
      sizes[c] = 1;
      centres[c] = points[farthest];
    }
    const bool settled = nearest == cluster_of;
    cluster_of = std::move(nearest);
    if (settled) break;
    centres.assign(clusters, {0, 0});
    for (std::size_t j = 0; j < channels; ++j) {
      centres[cluster_of[j]].high += points[j].high;
      centres[cluster_of[j]].low += points[j].low;
    }
    for (std::size_t c = 0; c < clusters; ++c) {
      centres[c].high /= static_cast<double>(sizes[c]);
      centres[c].low /= static_cast<double>(sizes[c]);
    }
  }

  std::vector<std::size_t> places(clusters);
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::stable_sort(places.begin(), places.end(),
                   [&](std::size_t a, std::size_t b) { return before(centres[a], centres[b]); });
  ChannelClusters found{{}, {0}};
  for (const std::size_t c : places) {
    for (std::size_t j = 0; j < channels; ++j)
      if (cluster_of[j] == c) found.order.push_back(static_cast<std::uint32_t>(j));
    found.first.push_back(found.order.size());
  }
  return found;
}

/// Scale and zero point of each cluster on grid G, by its smallest and largest value: those of a
/// whole tensor for one cluster, of each channel for as many clusters as channels.
template <Grid G>
std::vector<QParams> cluster_qparams(const ChannelClusters& found, std::span<const float> low,
                                     std::span<const float> high) {
  expects(low.size() == found.order.size() && high.size() == found.order.size(),
          "cluster_qparams: clusters of ", found.order.size(), " channels, ", low.size(),
          " minima, ", high.size(), " maxima");
  std::vector<QParams> qparams;
  for (std::size_t c = 0; c < found.clusters(); ++c) {
    Range range;
    for (std::size_t k = found.first[c]; k < found.first[c + 1]; ++k) {
      range.low = std::min(range.low, low[found.order[k]]);
      range.high = std::max(range.high, high[found.order[k]]);
    }
    qparams.push_back(qparams_of_range<G>(range, 1.0f));
  }
  return qparams;
}

/// permuted(i, k) = matrix(i, order[k]): the columns of a weight, or of its inputs, in that order.
/// Errors: shapes that do not fit; an order that is no permutation.
inline void permute_columns(MatrixView<const float> matrix, std::span<const std::uint32_t> order,
                            MatrixView<float> permuted) {
  detail::expect_permutation("permute_columns", order, matrix.cols);
  expects(permuted.shape() == matrix.shape(), "permute_columns: from (", matrix.rows, ", ",
          matrix.cols, ") to (", permuted.rows, ", ", permuted.cols, ")");
  for (std::size_t i = 0; i < matrix.rows; ++i)
    for (std::size_t k = 0; k < matrix.cols; ++k) permuted(i, k) = matrix(i, order[k]);
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_CHANNEL_CLUSTERS_HPP
