// SPDX-License-Identifier: MIT
// initializer/eigen/qwha.hpp: the coefficients that undo a quantization error best, after QWHA.
// Opt-in.
#ifndef LRQAT_INITIALIZER_EIGEN_QWHA_HPP
#define LRQAT_INITIALIZER_EIGEN_QWHA_HPP

#include <lrqat/adapter/sparse_hadamard.hpp>  // SparseRows
#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/matrix_view.hpp>
#include <lrqat/core/scratch.hpp>
#include <lrqat/initializer/quantization_error.hpp>
#include <lrqat/kernel/hadamard_order.hpp>
#include <lrqat/kernel/hadamard_transform.hpp>
#include <lrqat/kernel/multiply.hpp>

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <queue>
#include <utility>
#include <vector>

namespace lrqat {

/// refit: whether selected coefficients are fitted to what the left-out ones leave; without it they
/// keep the values that they have in the whole spectrum.
struct QwhaOptions {
  double damping = 1e-4;  // of the mean of the Gram matrix's diagonal, added to it
  bool refit = true;
};

namespace detail {

/// x H / sqrt(n) for every row, in place.
inline void to_spectrum(MatrixView<float> rows, kernel::HadamardOrder order) {
  kernel::hadamard_transform(rows, order);
  const float factor = static_cast<float>(1 / std::sqrt(static_cast<double>(order.size())));
  for (std::size_t i = 0; i < rows.rows; ++i)
    for (float& value : rows.row(i)) value *= factor;
}

/// The Gram matrix of the inputs' spectra, H^T Gram H / n, with damping on its diagonal; as float.
inline AlignedVector<float> spectral_gram(MatrixView<const double> gram, double damping,
                                          kernel::HadamardOrder order) {
  const std::size_t in = gram.rows;
  double trace = 0;
  for (std::size_t j = 0; j < in; ++j) trace += gram(j, j);
  expects(std::isfinite(trace) && trace > 0, "qwha_coefficients: the Gram matrix of ", in,
          " inputs has the trace ", trace, "; calibrate with inputs that are finite and not all 0");
  expects(damping > 0 && std::isfinite(damping), "qwha_coefficients: a damping of ", damping,
          ", it is a fraction of the mean of the Gram matrix's diagonal and above 0");
  const double unit = static_cast<double>(in) / trace;  // mean diagonal 1: nothing overflows
  AlignedVector<float> buffer(in * in);
  const MatrixView<float> g(buffer.data(), in, in);
  parallel_for(in, [&](std::size_t i) {
    for (std::size_t j = 0; j < in; ++j) g(i, j) = static_cast<float>(unit * gram(i, j));
    to_spectrum(g.block(i, 0, 1, in), order);
  });
  for (std::size_t i = 0; i < in; ++i)
    for (std::size_t j = 0; j < i; ++j) std::swap(g(i, j), g(j, i));
  parallel_for(in, [&](std::size_t i) {
    to_spectrum(g.block(i, 0, 1, in), order);
    g(i, i) += static_cast<float>(damping);
  });
  return buffer;
}

/// How many of `count` each row gets: in proportion to its weight, rounded down, at most `in`; what
/// is left goes one by one to the row that has fewest, the first of equals.
inline std::vector<std::size_t> budgets(std::span<const double> weights, std::size_t count,
                                        std::size_t in) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<std::size_t> budget(weights.size());
  std::size_t left = count;
  if (sum > 0)
    for (std::size_t i = 0; i < budget.size(); ++i) {
      const double share = static_cast<double>(count) * (weights[i] / sum);
      budget[i] = std::min({static_cast<std::size_t>(share), in, left});
      left -= budget[i];
    }
  using Entry = std::pair<std::size_t, std::size_t>;  // budget, row
  std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> smallest;
  for (std::size_t i = 0; i < budget.size(); ++i) smallest.push({budget[i], i});
  for (; left > 0; --left) {
    const std::size_t row = smallest.top().second;
    smallest.pop();
    smallest.push({++budget[row], row});
  }
  return budget;
}

/// The `count` columns with the largest |spectrum_e| sqrt(gram(e, e)), ascending; of equals the
/// first.
inline void select_largest(std::span<const float> spectrum, MatrixView<const float> gram,
                           std::span<std::uint32_t> selected) {
  std::vector<double> sizes(spectrum.size());
  for (std::size_t e = 0; e < sizes.size(); ++e)
    sizes[e] =
        std::fabs(static_cast<double>(spectrum[e])) * std::sqrt(static_cast<double>(gram(e, e)));
  std::vector<std::uint32_t> order(sizes.size());
  std::iota(order.begin(), order.end(), 0u);
  std::partial_sort_copy(order.begin(), order.end(), selected.begin(), selected.end(),
                         [&](std::uint32_t a, std::uint32_t b) {
                           return sizes[a] != sizes[b] ? sizes[a] > sizes[b] : a < b;
                         });
  std::sort(selected.begin(), selected.end());
}

/// The values c at `selected` that make (f - c) gram (f - c)^T smallest: c = f_S + g, where gram_SS
/// g = gram_SR f_R for what is left out, R. With everything selected that is f to the bit.
inline void fit(std::span<const float> spectrum, MatrixView<const float> gram,
                std::span<const std::uint32_t> selected, std::span<float> values) {
  std::vector<float> left_out(spectrum.begin(), spectrum.end());
  for (const std::uint32_t e : selected) left_out[e] = 0;
  const auto size = static_cast<Eigen::Index>(selected.size());
  Eigen::MatrixXd matrix(size, size);
  Eigen::VectorXd right(size);
  for (Eigen::Index a = 0; a < size; ++a) {
    const auto row = gram.row(selected[static_cast<std::size_t>(a)]);
    for (Eigen::Index b = 0; b <= a; ++b)
      matrix(a, b) = static_cast<double>(row[selected[static_cast<std::size_t>(b)]]);
    double sum = 0;
    for (std::size_t e = 0; e < left_out.size(); ++e)
      sum += static_cast<double>(row[e]) * static_cast<double>(left_out[e]);
    right(a) = sum;
  }
  const Eigen::LLT<Eigen::Ref<Eigen::MatrixXd>> cholesky(matrix);
  expects(cholesky.info() == Eigen::Success,
          "qwha_coefficients: the Gram matrix is not positive definite; raise the damping");
  cholesky.solveInPlace(right);
  for (std::size_t k = 0; k < values.size(); ++k)
    values[k] = static_cast<float>(static_cast<double>(spectrum[selected[k]]) +
                                   right(static_cast<Eigen::Index>(k)));
}

}  // namespace detail

/// The F of SparseHadamard (exactly `count` elements) whose delta undoes an error of the weight
/// best on inputs with that Gram matrix (QWHA, arXiv 2509.17428): rows share the elements by the
/// norm of their error's effect, |E x|; in each row those with the largest share of it are
/// selected, then refitted together. The same bits for any number of threads.
///
/// Takes a float matrix (in, in) and, per row, the square of its share of elements.
///
/// @param error  (out, in): the weight minus the quantized weight, in delta's units
/// @param gram   (in, in): sum of x^T x over tokens, times any factor
/// @param count  at most out in; that of a SparseHadamard<r> is r (in + out)
/// Errors: shapes that do not fit; numbers that are not finite; a Gram matrix of zeros, or with a
/// negative eigenvalue beyond the damping.
inline SparseRows qwha_coefficients(MatrixView<const float> error, MatrixView<const double> gram,
                                    std::size_t count, QwhaOptions options = {}) {
  const std::size_t out = error.rows, in = error.cols;
  expects(out > 0 && in > 0 && gram.rows == in && gram.cols == in,
          "qwha_coefficients: the error is (", out, ", ", in, "), the Gram matrix (", gram.rows,
          ", ", gram.cols, ")");
  expects(count <= out * in, "qwha_coefficients: ", count, " coefficients for a weight (", out,
          ", ", in, ")");
  const kernel::HadamardOrder order = kernel::hadamard_order(in);
  const AlignedVector<float> buffer = detail::spectral_gram(gram, options.damping, order);
  const MatrixView<const float> g(buffer.data(), in, in);
  const auto spectra = [&](std::size_t row, MatrixView<float> rows) {
    for (std::size_t i = 0; i < rows.rows; ++i) {
      const auto from = error.row(row + i);
      std::copy(from.begin(), from.end(), rows.row(i).begin());
    }
    detail::to_spectrum(rows, order);
  };

  constexpr std::size_t batch = 64;
  std::vector<double> weights(out);
  parallel_for((out + batch - 1) / batch, [&](std::size_t task) {
    const std::size_t row = task * batch, rows = std::min(batch, out - row);
    const auto f = scratch<struct spectra_slot>(rows, in),
               product = scratch<struct product_slot>(rows, in);
    spectra(row, f);
    kernel::multiply_into(kernel::left(f), g, product);
    for (std::size_t i = 0; i < rows; ++i) {
      double square = 0;
      for (std::size_t e = 0; e < in; ++e)
        square += static_cast<double>(product(i, e)) * static_cast<double>(f(i, e));
      expects(std::isfinite(square), "qwha_coefficients: the effect of row ", row + i,
              " of the error is not finite");
      weights[row + i] = std::sqrt(std::max(square, 0.0));
    }
  });

  const std::vector<std::size_t> budget = detail::budgets(weights, count, in);
  SparseRows result{std::vector<std::size_t>(out + 1), std::vector<std::uint32_t>(count),
                    std::vector<float>(count)};
  std::partial_sum(budget.begin(), budget.end(), result.first.begin() + 1);
  parallel_for(out, [&](std::size_t i) {
    const auto f = scratch<struct spectrum_slot>(1, in);
    spectra(i, f);
    const std::span columns(result.columns.data() + result.first[i], budget[i]);
    const std::span values(result.values.data() + result.first[i], budget[i]);
    detail::select_largest(f.row(0), g, columns);
    if (options.refit && !columns.empty())
      detail::fit(f.row(0), g, columns, values);
    else
      std::transform(columns.begin(), columns.end(), values.begin(),
                     [&](std::uint32_t e) { return f(0, e); });
  });
  return result;
}

/// Starts the branch of a layer with SparseHadamard beside the rounding from its quantization
/// error. Not for the other placements: what is added before the rounding is rounded again, and
/// undoes nothing; there the coefficients start at zero.
/// @param weight  (out, in), the one that `layer` was made of
/// @param gram    (in, in), see qwha_coefficients
/// Errors: those of qwha_coefficients; another shape; a layer that has been trained.
template <class Layer>
void start_qwha(Layer& layer, MatrixView<const float> weight, MatrixView<const double> gram,
                QwhaOptions options = {}) {
  static_assert(!Layer::merges,
                "start_qwha: this layer's adapter is inside the rounding, which an error of the "
                "rounding cannot start. Write Parallel, or leave the coefficients at zero.");
  const AlignedVector<float> error = quantization_error(layer, weight);
  auto& adapter = layer.weight().adapter();
  expects(std::all_of(adapter.coefficients().begin(), adapter.coefficients().end(),
                      [](float value) { return value == 0; }),
          "start_qwha: the layer has coefficients that are not 0");
  adapter.set_coefficients(
      qwha_coefficients({error.data(), weight.rows, weight.cols}, gram, adapter.count(), options));
}

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_EIGEN_QWHA_HPP
