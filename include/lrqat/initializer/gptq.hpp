// SPDX-License-Identifier: MIT
// initializer/gptq.hpp: rounding column by column, each column's error made up for by the next.
#ifndef LRQAT_INITIALIZER_GPTQ_HPP
#define LRQAT_INITIALIZER_GPTQ_HPP

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/numeric.hpp>  // fused_multiply_add
#include <lrqat/core/scratch.hpp>
#include <lrqat/initializer/weight_on_grid.hpp>
#include <lrqat/kernel/multiply.hpp>
#include <lrqat/kernel/vectorised.hpp>
#include <lrqat/salient/no_salient.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lrqat {

/// What GPTQ knows of a layer's inputs: gptq_factor() of initializer/eigen/gptq_factor.hpp makes it
/// from their statistics. One serves all layers with these inputs.
struct GptqFactor {
  AlignedVector<float> upper;        // (in, in), U with H^-1 = U^T U, inputs in the order below
  std::vector<std::uint32_t> order;  // (in) the input that comes k-th
  std::vector<std::uint8_t> dead;    // (in) 1 where an input was 0 in every token

  std::size_t in_features() const { return order.size(); }
  MatrixView<const float> matrix() const { return {upper.data(), order.size(), order.size()}; }
  bool in_order() const {
    for (std::size_t k = 0; k < order.size(); ++k)
      if (order[k] != k) return false;
    return true;
  }
};

/// When the scale of a group is chosen: at its first column, from weights that the columns before
/// have changed, or for all groups before the first column ("static groups").
enum class GptqScales { when_reached, in_advance };

struct GptqOptions {
  GptqScales scales = GptqScales::when_reached;
  std::size_t block = 128;  // columns after which the rest of the weight is brought up to date
  QuantOptions quant{};     // read by the granularity
};

namespace detail {

/// rest(r, j) += factors(r, 0) * upper[j] for each row, fused.
inline void add_column(MatrixView<const float> factors, std::span<const float> upper,
                       MatrixView<float> rest) {
  kernel::vectorised([&] {
    for (std::size_t r = 0; r < rest.rows; ++r) {
      const float factor = factors(r, 0);
      kernel::for_each_lane(upper.size(), [=, u = upper.data(), row = rest.row(r).data()](
                                              std::size_t j) {
        row[j] = fused_multiply_add(factor, u[j], row[j]);
      });
    }
  });
}

/// GPTQ on some rows of a weight at once.
/// @tparam Salient  NoSalient::state or that of Salient<...>, whose weights are rounded there
template <Grid G, InitializerOf<G> I, class Salient>
struct GptqRows {
  const GptqFactor& factor;
  const ScaleLayout& layout;
  const GptqOptions& options;
  bool chooses;            // a group's scale when its first column comes
  std::size_t first;       // row of the weight
  MatrixView<float> rest;  // (rows, in) weights in factor.order, brought up to date
  MatrixView<float> off;   // (rows, block) minus the errors of a block
  std::span<QParams> qparams;
  MatrixView<float> found;  // (out, in)
  const Salient& salient;

  void run() const {
    const MatrixView<const float> upper = factor.matrix();
    const std::size_t in = upper.cols;
    for (std::size_t begin = 0; begin < in;) {
      const std::size_t end = end_of_block(begin);
      for (std::size_t k = begin; k < end; ++k) column(k, begin, end);
      if (end < in)
        kernel::multiply(kernel::left(off.block(0, 0, rest.rows, end - begin)),
                         upper.block(begin, end, end - begin, in - end),
                         rest.block(0, end, rest.rows, in - end));
      begin = end;
    }
  }

 private:
  float rounded_weight(std::size_t row, std::size_t col, float weight, const QParams& shared) const {
    if constexpr (requires { salient.set(); })
      if (salient.set().contains(row, col)) return salient.rounded(row, weight);
    return on_grid<G>(weight, shared);
  }

  /// A block ends early before a group that it would cut: a group is chosen from up-to-date weights.
  std::size_t end_of_block(std::size_t begin) const {
    const std::size_t in = factor.in_features(), end = std::min(in, begin + options.block);
    if (!chooses || end == in) return end;
    const std::size_t group = end / layout.group_columns * layout.group_columns;
    return group > begin ? group : end;
  }

  void column(std::size_t k, std::size_t begin, std::size_t end) const {
    const std::span<const float> upper = factor.matrix().row(k);
    const std::size_t j = factor.order[k], next = k + 1;
    for (std::size_t r = 0; r < rest.rows; ++r) {
      const float* const row = rest.row(r).data();
      QParams& shared = qparams[layout.index(first + r, j)];
      if (chooses && k % layout.group_columns == 0) {
        const std::size_t count = std::min(layout.group_columns, rest.cols - k);
        const auto group = salient.rest(first + r, k, rest.row(r).subspan(k, count));
        if (!group.empty()) shared = checked_choice("gptq", I::template choose<G>(group));
      }
      expects(std::isfinite(row[k]), "gptq: weight (", first + r, ", ", j,
              ") grew beyond float32 on the way; give gptq_factor a larger damping");
      const float rounded = rounded_weight(first + r, j, row[k], shared);
      found(first + r, j) = rounded;
      off(r, k - begin) = (rounded - row[k]) / upper[k];
    }
    add_column(off.block(0, k - begin, rest.rows, 1), upper.subspan(next, end - next),
               rest.block(0, next, rest.rows, end - next));
  }
};

template <Grid G, Granularity Gran, InitializerOf<G> I, class Salient>
WeightOnGrid gptq_beside(const Salient& salient, MatrixView<const float> weight,
                         const GptqFactor& factor, const GptqOptions& options) {
  expect_finite("gptq", weight);
  expect_inputs("gptq", weight, factor.in_features());
  expects(options.block > 0, "gptq: a block has at least one column");
  const std::size_t in = weight.cols;
  const ScaleLayout layout = Gran::layout(weight.shape(), options.quant);
  const bool has_groups = layout.scales.cols > 1;
  const bool chooses = has_groups && options.scales == GptqScales::when_reached;
  expects(!chooses || factor.in_order(), "gptq: inputs are not in order, so the ",
          layout.scales.cols, " groups of a row are reached piecemeal; choose "
          "GptqScales::in_advance");
  expects(!chooses || layout.scales.rows == weight.rows,
          "gptq: groups that span rows are reached by all rows at once; choose "
          "GptqScales::in_advance");

  const auto alive = [&](std::size_t row, std::span<float> values) {
    for (std::size_t j = 0; j < in; ++j) values[j] = factor.dead[j] ? 0.0f : weight(row, j);
  };
  WeightOnGrid found{weight.shape(), AlignedVector<float>(weight.rows * in),
                     std::vector<QParams>(layout.size(), QParams{scale_floor})};
  if (!chooses)
    found.qparams = chosen_by_group(
        weight.shape(), alive, layout,
        [](std::span<const float> group) {
          return checked_choice("gptq", I::template choose<G>(group));
        },
        salient);
  constexpr std::size_t rows = 32;
  parallel_for((weight.rows + rows - 1) / rows, [&](std::size_t task) {
    const std::size_t first = task * rows, count = std::min(rows, weight.rows - first);
    const MatrixView<float> rest = scratch<struct gptq_rest_slot>(count, in);
    const MatrixView<float> off = scratch<struct gptq_off_slot>(count, std::min(options.block, in));
    for (std::size_t r = 0; r < count; ++r)
      for (std::size_t k = 0; k < in; ++k) {
        const std::size_t j = factor.order[k];
        rest(r, k) = factor.dead[j] ? 0.0f : weight(first + r, j);
      }
    const GptqRows<G, I, Salient> part{
        factor, layout, options, chooses, first, rest, off, found.qparams,
        {found.values.data(), weight.rows, in}, salient};
    part.run();
  });
  return found;
}

}  // namespace detail

/// GPTQ (Frantar et al., arXiv 2210.17323): with U from the inverse of H = 2 / tokens sum x x^T,
/// column after column is rounded, q_j = Q(w_j), and its error goes into those that are still to
/// come, w_k -= (w_j - q_j) / U_jj U_jk. The result minimises the output error of each column given
/// those before it. All rows at once; the sums are chains of fused multiply-adds in the order of the
/// columns, so that neither `block` nor the number of threads changes a bit.
///
/// Where it differs from the published code: scales of groups come from weights that are up to date
/// also where a group starts inside of a block (there they are those of the block's start); scales
/// of channels do not see the weights of dead inputs, which are set to 0; with inputs out of order,
/// groups must be chosen in advance (there each group then holds inputs from all over the row, which
/// no granularity here can say).
///
/// @param weight  (out, in)     @param factor  of its inputs
/// Errors: a weight that is empty, not finite, or of other inputs; groups when_reached whose inputs
/// are out of order, or whose scales span rows.
template <Grid G, Granularity Gran = PerChannel, InitializerOf<G> I = MinMax>
WeightOnGrid gptq(MatrixView<const float> weight, const GptqFactor& factor,
                  const GptqOptions& options = {}) {
  return detail::gptq_beside<G, Gran, I>(NoSalient::state(), weight, factor, options);
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_GPTQ_HPP
