// SPDX-License-Identifier: MIT
// initializer/eigen/loftq.hpp: a quantized base and an adapter, chosen together.
#ifndef LRQAT_INITIALIZER_EIGEN_LOFTQ_HPP
#define LRQAT_INITIALIZER_EIGEN_LOFTQ_HPP

#include <lrqat/concept/initializer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/quant_options.hpp>
#include <lrqat/initializer/eigen/svd_low_rank.hpp>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

namespace lrqat {

/// W ~ Q + A B, all (out, in), row-major.
struct LoftQ {
  LowRankFactors factors;
  std::vector<float> source;  // W - A B of the round before, which rounds to Q
  std::vector<float> base;    // Q
  double error = HUGE_VAL;    // |W - Q - A B|, Frobenius
  std::size_t round = 0;      // that it is of, from 1 on
};

/// LoftQ (Li et al., arXiv 2310.08659, algorithm 1): from A B = 0, `rounds` times Q = round(W - A
/// B) and A B = the nearest of that rank to W - Q. Errors need not fall from round to round: the
/// best one is kept, where the published code keeps the last. Its authors recommend 5 rounds; 1 is
/// PEFT's default.
/// @param round  (MatrixView<const float> values, MatrixView<float> rounded), both (out, in)
/// @throws Error when rounds is 0, the rank is not 1 .. min(out, in) or a weight is not finite
template <class Round>
LoftQ loftq(MatrixView<const float> weight, std::size_t rank, std::size_t rounds,
            const Round& round) {
  expects(rounds > 0, "loftq: at least one round is needed");
  detail::expect_rank("loftq", weight.shape(), rank);
  const OneEigenThread alone;
  const Eigen::MatrixXd w = detail::eigen_matrix("loftq", weight);
  const auto view = [&](std::vector<float>& values) {
    return MatrixView<float>(values.data(), weight.rows, weight.cols);
  };
  const auto into = [&](const Eigen::MatrixXd& from, std::vector<float>& values) {
    values.resize(weight.rows * weight.cols);
    for (std::size_t i = 0; i < weight.rows; ++i)
      for (std::size_t j = 0; j < weight.cols; ++j)
        view(values)(i, j) =
            static_cast<float>(from(detail::eigen_index(i), detail::eigen_index(j)));
  };
  LoftQ best, now;
  Eigen::MatrixXd product = Eigen::MatrixXd::Zero(w.rows(), w.cols());
  std::vector<float> rest;
  for (now.round = 1; now.round <= rounds; ++now.round) {
    into(w - product, now.source);
    now.base.resize(now.source.size());
    round(MatrixView<const float>(view(now.source)), view(now.base));
    const Eigen::MatrixXd left = w - detail::eigen_matrix("loftq", view(now.base));
    into(left, rest);
    now.factors = svd_low_rank(view(rest), rank);
    product = detail::eigen_matrix("loftq", now.factors.a()) *
              detail::eigen_matrix("loftq", now.factors.b());
    now.error = (left - product).norm();
    if (now.error < best.error) best = now;
  }
  return best;
}

/// The layer that LoftQ starts from: its own grid, granularity, scales and rank, and alpha = rank,
/// whatever the options say, so that the adapter's gain is 1. Beside the rounding (Parallel) that
/// is LoftQ: W_hat = Q + A B. Within it the base is Q as well, and the layer starts from Q + A B
/// rounded: InsideRounding takes A in grid units ("LR-QAT started from LoftQ"), on one scale a row.
/// @throws Error like loftq(), and InsideRounding on groups
template <class Layer>
Layer loftq_layer(MatrixView<const float> weight, std::size_t rounds, QuantOptions options = {}) {
  using Placement = typename Layer::parameterization::placement;
  const Tile whole{0, 0, weight.rows, weight.cols};
  const std::size_t rank = Layer(weight, options).weight().adapter().rank();
  options.alpha = static_cast<float>(rank);
  LoftQ start = loftq(weight, rank, rounds, [&](auto values, auto rounded) {
    Layer(values, options).weight().weight(whole, rounded);  // A B = 0 in a new layer
  });
  Layer layer(MatrixView<const float>(start.source.data(), weight.rows, weight.cols), options);
  if constexpr (!Layer::parameterization::has_branch) {
    std::vector<QParams> qparams(layer.weight().layout().size());
    std::vector<float> scales;
    for (std::size_t cell = 0; cell < qparams.size(); ++cell) {
      qparams[cell] = layer.weight().used(cell);
      scales.push_back(qparams[cell].scale);
    }
    if constexpr (!Placement::needs_reals)
      into_grid_units(start.factors, layer.weight().layout(), scales);
    layer = Layer(MatrixView<const float>(start.base.data(), weight.rows, weight.cols), qparams,
                  options);
  }
  layer.weight().adapter().set_factors(std::as_const(start.factors).a(),
                                       std::as_const(start.factors).b());
  return layer;
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_EIGEN_LOFTQ_HPP
