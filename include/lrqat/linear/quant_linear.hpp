// SPDX-License-Identifier: MIT
// linear/quant_linear.hpp: the quantized linear layer that trains, composed of policies.
#ifndef LRQAT_LINEAR_QUANT_LINEAR_HPP
#define LRQAT_LINEAR_QUANT_LINEAR_HPP

#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/initializer/range.hpp>
#include <lrqat/initializer/weight_rows.hpp>
#include <lrqat/linear/conversion.hpp>
#include <lrqat/linear/dense_linear.hpp>
#include <lrqat/linear/input_passes.hpp>
#include <lrqat/linear/layer_bytes.hpp>
#include <lrqat/linear/merged_linear.hpp>
#include <lrqat/linear/policy_checks.hpp>
#include <lrqat/linear/select.hpp>
#include <lrqat/parameterization/parameterization.hpp>

#include <cmath>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace lrqat {

/// A trained tensor's gradient under its name.
struct NamedGradient {
  std::string name;
  std::span<const float> values;
};

/// y = Q(T x) W_hat^T (+ bias), with W_hat as its policies say. Write QuantLinear<Policies...>, which
/// takes them in any order; generic code deduces this class.
///
/// Shapes: weight (out, in), x (tokens, in), y (tokens, out). Copying copies the whole layer.
template <class G, class Gran, class S, class A, class P, class E, class I, class T, class In,
          class B, class F, class K = NoSalient>
class BasicQuantLinear {
 public:
  using scalar = float;
  using grid = G;
  using granularity = Gran;
  using input = In;
  using initializer = I;
  using trainable = T;
  using parameterization = Parameterization<G, Gran, S, A, P, E, T, F, K>;
  using merged = std::conditional_t<(G::bits > 0), MergedLinear<G, In, B>, DenseLinear<float>>;
  /// W_hat is levels times scales, or can become that while it trains.
  static constexpr bool holds_in_levels =
      parameterization::has_levels || parameterization::branch_can_vanish;

  /// Chooses a scale for each group of `weight` with the initializer, then freezes the weight on
  /// that grid; the weight is only read here.
  /// @param bias  (out), or empty for none
  /// @throws Error when the weight is empty or not finite, or a shape does not fit a policy
  explicit BasicQuantLinear(MatrixView<const float> weight, const QuantOptions& options = {},
                            std::span<const float> bias = {})
      : BasicQuantLinear(weight.shape(), RowsOf{weight}, options, bias) {}

  /// With given scales and zero points or offsets, one for each group in layout order; a trainable
  /// set that measures them, or learns clips, does so at once, whatever is given.
  BasicQuantLinear(MatrixView<const float> weight, std::span<const QParams> qparams,
                   const QuantOptions& options = {}, std::span<const float> bias = {})
      : BasicQuantLinear(weight.shape(), RowsOf{weight}, qparams, options, bias) {}

  /// From a weight of `shape` (out, in) that is asked for row by row and never held as a whole:
  /// each row once to be frozen and, but for learned clips, once for its scales, on all threads.
  /// The same bits as from the matrix. A granularity whose scales span rows gathers them to choose.
  /// @param rows  see WeightRows
  /// @throws Error like the constructor from a matrix
  template <WeightRows Rows>
  BasicQuantLinear(Shape shape, const Rows& rows, const QuantOptions& options = {},
                   std::span<const float> bias = {})
      : BasicQuantLinear(shape, rows, first_qparams(shape, rows_behind<In>(rows), options),
                         options, bias) {}

  /// The same with given scales and zero points; each row is asked for once.
  template <WeightRows Rows>
  BasicQuantLinear(Shape shape, const Rows& rows, std::span<const QParams> qparams,
                   const QuantOptions& options = {}, std::span<const float> bias = {})
      : weight_(shape, checked_qparams(shape, qparams, options), options),
        bias_(bias.begin(), bias.end()) {
    expects(bias.empty() || bias.size() == shape.rows, "QuantLinear: the bias has ", bias.size(),
            " values, out is ", shape.rows);
    if constexpr (T::bias) bias_gradient_.resize(bias_.size());
    parallel_for(shape.rows, [&](std::size_t row) {
      weight_.freeze(row, checked_row(rows_behind<In>(rows), row, shape.cols));
    });
    if constexpr (measures_scale<T> || learns_clips<T>) measure();
  }

  std::size_t out_features() const { return weight_.shape().rows; }
  std::size_t in_features() const { return weight_.shape().cols; }

  /// x (tokens, in) -> y (tokens, out), overwritten.
  /// @throws Error when the shapes do not fit
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    check_shapes("forward", x, y.shape());
    B::forward(weight_, quantized_input<In>(x), y);
    add_bias(bias_, y);
  }

  /// The x of forward and dL/dy (tokens, out) -> dL/dx (tokens, in), overwritten; adds to the
  /// gradients of the parameters. Everything weight-sized is rebuilt tile by tile.
  /// @throws Error when the shapes do not fit
  void backward(MatrixView<const float> x, MatrixView<const float> grad_y,
                MatrixView<float> grad_x) {
    check_shapes("backward", x, grad_y.shape());
    expects(grad_x.shape() == x.shape(), "QuantLinear::backward: grad_x is (", grad_x.rows, ", ",
            grad_x.cols, "), x is (", x.rows, ", ", x.cols, ")");
    B::backward(weight_, quantized_input<In>(x), grad_y, grad_x);
    if constexpr (parameterization::ends_move) weight_.pass_end_gradients();
    input_gradient<In>(x, grad_x);
    if constexpr (T::bias)
      for (std::size_t t = 0; t < grad_y.rows; ++t)
        for (std::size_t i = 0; i < bias_.size(); ++i) bias_gradient_[i] += grad_y(t, i);
  }

  /// What an optimizer trains, each with its gradient: the adapter's tensors ("A" (out, r) and "B"
  /// (r, in), or "weight" (out, in)), "scale" (in layout order) and, where trained, "zero_point" or
  /// "offset" (likewise), or in their place "clip_high" and "clip_low", and "bias" (out).
  Parameters<float> parameters() {
    Parameters<float> all = weight_.parameters();
    if constexpr (T::bias)
      if (!bias_.empty()) all.push_back({"bias", Role::bias, bias_, bias_gradient_});
    return all;
  }

  /// The gradients under the names of parameters().
  std::vector<NamedGradient> gradients() {
    std::vector<NamedGradient> all;
    for (const Parameter<float>& each : parameters()) all.push_back({each.name, each.gradient});
    return all;
  }

  void zero_gradients() {
    for (const Parameter<float>& each : parameters())
      std::fill(each.gradient.begin(), each.gradient.end(), 0.0f);
  }

  /// Whether merge() exists: not beside a Parallel adapter that stays or salient weights, nor before an
  /// Unrounded grid is finalised, but for Unquantized weights.
  static constexpr bool merges = (holds_in_levels || G::bits == 0) && !leaves_reals<G>;

  /// Measures scales and zero points, or ranges that are clipped, again from the latent weight without
  /// the salient, where T has it so. Call it whenever parameters have got new values: after an update,
  /// after a checkpoint is read. @throws Error when the weight is not finite
  void after_step() requires(measures_scale<T> || parameterization::ends_move) { measure(); }

  /// From now on these weights are salient, in place of those that were: what is measured, scales
  /// or ranges, is measured again without them. Scales that learn or stay are those of before.
  /// @param salient  of the weight's shape. @throws Error when the weight is not finite
  void keep_salient(typename K::state salient) requires K::keeps {
    weight_.salient() = std::move(salient);
    if constexpr (measures_scale<T> || learns_clips<T>) measure();
  }

  /// Plain b-bit codes and scales (with zero points or offsets); the adapter is inside them. Exact:
  /// forward gives the same bits. A transform of the inputs stays in front of them. Unquantized weights
  /// have no codes: a frozen DenseLinear, see dense().
  /// @throws Error when a weight or scale is not finite, as after a diverged training, or when a
  ///         branch that can vanish has not done so
  merged merge() const {
    static_assert(!leaves_reals<G>,
                  "QuantLinear::merge: an Unrounded grid has no codes. Call finalise(layer) first "
                  "and merge what it returns.");
    static_assert(!K::keeps,
                  "QuantLinear::merge: salient weights stay off the grid, so its codes do not hold "
                  "them. Write layer.dense() for W_hat in float32.");
    static_assert(merges || leaves_reals<G> || K::keeps,
                  "QuantLinear::merge: a Parallel adapter stays a branch beside the integers; "
                  "rounding it into them would change the layer. Place it InsideRounding or in the "
                  "WeightDomain to merge it exactly.");
    if constexpr (G::bits == 0) {
      return dense();
    } else if constexpr (merges) {
      expect_no_branch("merge");
      return merged_layer();
    }
  }

  /// W_hat as float32, an adapter beside the rounding in it, and the bias: a frozen layer.
  /// @throws Error when a weight is not finite
  DenseLinear<float> dense() const {
    static_assert(!In::quantizes,
                  "QuantLinear::dense: a DenseLinear takes activations as they are. Leave the input "
                  "quantizer out, or merge().");
    const Shape shape = weight_.shape();
    AlignedVector<float> values(shape.size());
    const MatrixView<float> view(values.data(), shape.rows, shape.cols);
    weight_.weight({0, 0, shape.rows, shape.cols}, view);
    for (std::size_t i = 0; i < values.size(); ++i)
      expects(std::isfinite(values[i]), "QuantLinear::dense: weight (", i / shape.cols, ", ",
              i % shape.cols, ") is not finite");
    return DenseLinear<float>(view, {Training::frozen, bias_});
  }

  /// The same function in another parameterization: its base is this layer's merged weight on the
  /// same scales, so that W_hat is equal, and its adapter starts anew.
  /// @throws Error when the group sizes differ, or where the other layer cannot hold a scale, or
  ///         its storage a weight closely enough, as bfloat16 some levels beyond 128 in the weight
  ///         domain
  template <class Other>
  Other convert_to(const QuantOptions& options = {}) const {
    detail::expect_convertible<BasicQuantLinear, Other>();
    expect_no_branch("convert_to");
    return detail::converted<Other>(*this, options);
  }

  /// The same layer, with its gradients, on another grid that shares the base: the next bit width of
  /// a nested grid, or Unrounded<G> and G. Nothing is copied; parameters() handed out before stay
  /// valid. For a second layer copy this one first.
  template <Grid Other>
  auto on_grid() && {
    constexpr bool shares = std::is_same_v<base_grid_of<Other>, base_grid_of<G>>;
    static_assert(shares,
                  "QuantLinear::on_grid<Other>: the base of the other grid is stored differently. "
                  "Make a layer on it from the float weight.");
    if constexpr (shares)
      return BasicQuantLinear<Other, Gran, S, A, P, E, I, T, In, B, F, K>(std::move(*this));
  }

  LayerBytes bytes() const {
    LayerBytes bytes;
    bytes.base = weight_.base().size();
    if constexpr (K::keeps) bytes.base += weight_.salient().bytes();
    bytes.scales = weight_.cell_bytes();
    bytes.bias = bias_.size() * sizeof(float);
    // parameters() only hands out spans; nothing is changed through them here.
    for (const Parameter<float>& each : const_cast<BasicQuantLinear*>(this)->parameters()) {
      bytes.gradients += each.gradient.size_bytes();
      if (each.role == Role::adapter || each.role == Role::weight || each.role == Role::transform)
        bytes.adapter += each.value.size_bytes();
    }
    if constexpr (requires { weight_.adapter().frozen_bytes(); })
      bytes.adapter += weight_.adapter().frozen_bytes();
    return bytes;
  }

  const parameterization& weight() const { return weight_; }
  parameterization& weight() { return weight_; }
  std::span<const float> bias() const { return bias_; }

  /// Calls visit(row, levels) for each row of the rounded weight's levels, from the first to the last.
  template <class Visit>
  void for_each_row_of_levels(Visit visit) const {
    const Shape shape = weight_.shape();
    constexpr std::size_t rows = 16;
    AlignedVector<float> buffer(rows * shape.cols);
    for (std::size_t row = 0; row < shape.rows; row += rows) {
      const Tile tile{row, 0, std::min(rows, shape.rows - row), shape.cols};
      const MatrixView<float> levels(buffer.data(), tile.rows, tile.cols);
      weight_.rounded_levels(tile, levels);
      for (std::size_t i = 0; i < tile.rows; ++i)
        visit(row + i, std::span<const float>(levels.row(i)));
    }
  }

 private:
  template <class, class, class, class, class, class, class, class, class, class, class, class>
  friend class BasicQuantLinear;

  template <class Other>
  explicit BasicQuantLinear(BasicQuantLinear<Other, Gran, S, A, P, E, I, T, In, B, F, K>&& other)
      : weight_(std::move(other.weight_)),
        bias_(std::move(other.bias_)),
        bias_gradient_(std::move(other.bias_gradient_)) {}

  /// None are chosen where they follow from clips.
  template <WeightRows Rows>
  static std::vector<QParams> first_qparams(Shape shape, const Rows& rows,
                                            const QuantOptions& options) {
    if constexpr (learns_clips<T>)
      return std::vector<QParams>(Gran::layout(checked_shape(shape), options).size());
    else
      return choose_qparams<base_grid_of<G>, Gran, I>(shape, rows, options);
  }

  void measure() {
    const auto latent_row = [this](std::size_t row, std::span<float> values) {
      weight_.latent({row, 0, 1, values.size()}, MatrixView<float>(values.data(), 1, values.size()));
    };
    const auto by_group = [&](auto choose) {
      return chosen_by_group(weight_.shape(), latent_row, weight_.layout(), choose,
                             weight_.salient());
    };
    if constexpr (learns_clips<T>)
      weight_.set_ranges(by_group([](std::span<const float> group) { return range_of(group); }));
    else
      weight_.set_qparams(
          by_group([](std::span<const float> group) { return I::template choose<G>(group); }));
  }

  void expect_no_branch(const char* door) const {
    if constexpr (parameterization::branch_can_vanish)
      expects(weight_.adapter().has_vanished(), "QuantLinear::", door, ": the branch still has rank ",
              weight_.adapter().rank(), ", which integers cannot hold; train it to rank 0 first");
  }

  merged merged_layer() const {
    const Shape shape = weight_.shape();
    const ScaleLayout& layout = weight_.layout();
    AlignedVector<float> scales, zero_points, offsets;
    for (std::size_t cell = 0; cell < layout.size(); ++cell) {
      const QParams used = weight_.used(cell);
      scales.push_back(used.scale);
      if constexpr (G::has_zero_point) zero_points.push_back(used.zero_point);
      if constexpr (has_offset<G>) offsets.push_back(used.offset);
    }
    merged result(shape, layout, scales, zero_points, bias_, offsets);
    for_each_row_of_levels([&](std::size_t row, std::span<const float> levels) {
      for (std::size_t j = 0; j < shape.cols; ++j) {
        expects(std::isfinite(levels[j]), "QuantLinear::merge: weight (", row, ", ", j,
                ") is not a number");
        const float zero = G::has_zero_point ? zero_points[layout.index(row, j)] : 0.0f;
        result.set_code(row, j, G::code(levels[j], zero));
      }
    });
    return result;
  }

  static std::span<const QParams> checked_qparams(Shape weight, std::span<const QParams> qparams,
                                                  const QuantOptions& options) {
    const ScaleLayout layout = Gran::layout(checked_shape(weight), options);
    expects(qparams.size() == layout.size(), "QuantLinear: ", qparams.size(), " scales given, ",
            "the weight (", weight.rows, ", ", weight.cols, ") has ", layout.size(), " groups");
    for (std::size_t i = 0; i < qparams.size(); ++i) {
      expects(std::isfinite(qparams[i].scale), "QuantLinear: scale ", i, " is not finite");
      expects(!has_offset<G> || std::isfinite(qparams[i].offset), "QuantLinear: offset ", i,
              " is not finite");
      // Up to 2^16, levels and fixed-point values next to it are exact in float.
      const float zero = qparams[i].zero_point;
      expects(!G::has_zero_point || (std::fabs(zero) <= 0x1p16f && std::floor(zero) == zero),
              "QuantLinear: zero point ", i, " is ", zero, ", an integer up to 65536 is needed");
    }
    return qparams;
  }

  void check_shapes(const char* pass, MatrixView<const float> x, Shape y) const {
    expects(x.cols == in_features() && y.cols == out_features() && x.rows == y.rows,
            "QuantLinear::", pass, ": x is (", x.rows, ", ", x.cols, ") and y (", y.rows, ", ",
            y.cols, "), the weight (out, in) is (", out_features(), ", ", in_features(), ")");
  }

  parameterization weight_;
  AlignedVector<float> bias_, bias_gradient_;
};

namespace detail {

/// Stands in for a layer whose policies were refused, with whatever a program asks of a layer, so
/// that the sentence comes alone. No program with one compiles.
struct RefusedLayer {
  using scalar = float;
  using grid = void;
  using granularity = void;
  using input = void;
  template <class... Arguments>
  explicit RefusedLayer(const Arguments&...) {}
  std::size_t in_features() const { return 0; }
  std::size_t out_features() const { return 0; }
  template <class... Arguments>
  void forward(const Arguments&...) const {}
  template <class... Arguments>
  void backward(const Arguments&...) {}
  Parameters<float> parameters() { return {}; }
  std::vector<NamedGradient> gradients() { return {}; }
  void zero_gradients() {}
  RefusedLayer merge() const { return RefusedLayer(0); }
  RefusedLayer dense() const { return RefusedLayer(0); }
  LayerBytes bytes() const { return {}; }
};

template <bool valid, class... Ps>
struct layer {
  using type = RefusedLayer;
};
template <class... Ps>
struct layer<true, Ps...> {
  using s = slots<Ps...>;
  using type =
      BasicQuantLinear<typename s::grid, typename s::granularity, typename s::storage,
                       typename s::adapter, typename s::placement, typename s::estimator,
                       typename s::initializer, typename s::trainable, typename s::input,
                       typename s::backend, typename s::scale_format, typename s::salient>;
};

}  // namespace detail

/// The layer of these policies, in any order, at most one of each kind; a grid is required.
/// Defaults: PerChannel, NoAdapter, InsideRounding, StraightThrough, MinMax, AdapterAndScale,
/// Identity, NoInput, Compute<float>, Cpu, Float32Scale, NoSalient, and the storage that fits
/// (FixedPoint; Packed without adapter; Dense<float> in the weight domain and for FullRank).
template <class... Policies>
using QuantLinear =
    typename detail::layer<detail::valid_policies<Policies...>(), Policies...>::type;

}  // namespace lrqat

#endif  // LRQAT_LINEAR_QUANT_LINEAR_HPP
