// SPDX-License-Identifier: MIT
// linear/nested_linear.hpp: one set of trained parameters that serves several bit widths.
#ifndef LRQAT_LINEAR_NESTED_LINEAR_HPP
#define LRQAT_LINEAR_NESTED_LINEAR_HPP

#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/nested.hpp>
#include <lrqat/linear/merged_linear.hpp>
#include <lrqat/linear/quant_linear.hpp>

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>

namespace lrqat {

/// QuantLinear<Int<High>, Policies...> and, on the same base, adapter, scales and gradients,
/// QuantLinear<Nested<High, Low>, Policies...> for each lower width. One of them is there at a
/// time; set_bits() hands its buffers to another and copies nothing. To train all widths at once,
/// run the passes under each before the optimizer's step: their gradients add up.
///
///   NestedLinear<BitWidths<8, 4, 2>, LowRank<32>> layer{weight};
///   layer.set_bits(4);
template <class Widths, class... Policies>
class NestedLinear;

template <int High, int... Lows, class... Policies>
class NestedLinear<BitWidths<High, Lows...>, Policies...> {
 public:
  using scalar = float;
  using widths = BitWidths<High, Lows...>;
  template <int Bits>
  using grid_of = std::conditional_t<Bits == High, Int<High>, Nested<High, Bits>>;
  template <int Bits>
  using layer_of = QuantLinear<grid_of<Bits>, Policies...>;
  using merged = typename layer_of<High>::merged;
  static constexpr bool merges = layer_of<High>::merges;

  /// Starts at the highest width, from what QuantLinear<Int<High>, Policies...> takes.
  template <class... Arguments>
  requires std::constructible_from<layer_of<High>, Arguments...>
  explicit NestedLinear(Arguments&&... arguments)
      : layer_(std::in_place_index<0>, std::forward<Arguments>(arguments)...) {}
  explicit NestedLinear(MatrixView<const float> weight, const QuantOptions& options = {},
                        std::span<const float> bias = {})
      : layer_(std::in_place_index<0>, weight, options, bias) {}

  int bits() const {
    return visit([](const auto& layer) { return std::decay_t<decltype(layer)>::grid::bits; });
  }
  /// The width of all that follows; parameters() handed out before stay valid.
  /// @throws Error when `bits` is none of the widths
  void set_bits(int bits) {
    expects(widths::contains(bits), "NestedLinear::set_bits: ", bits,
            " is none of the widths of this layer, the highest of which is ", High);
    if (bits == this->bits()) return;
    if (bits == High) switch_to<High>();
    ((bits == Lows ? switch_to<Lows>() : void()), ...);
  }

  std::size_t out_features() const {
    return visit([](auto& l) { return l.out_features(); });
  }
  std::size_t in_features() const {
    return visit([](auto& l) { return l.in_features(); });
  }
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    visit([&](auto& layer) { layer.forward(x, y); });
  }
  void backward(MatrixView<const float> x, MatrixView<const float> grad_y,
                MatrixView<float> grad_x) {
    visit([&](auto& layer) { layer.backward(x, grad_y, grad_x); });
  }
  Parameters<float> parameters() {
    return visit([](auto& l) { return l.parameters(); });
  }
  void zero_gradients() {
    visit([](auto& layer) { layer.zero_gradients(); });
  }
  LayerBytes bytes() const {
    return visit([](auto& layer) { return layer.bytes(); });
  }

  /// The integers of the highest width, whichever is set; at_bits() makes the lower ones of them.
  merged merge() const {
    if (const auto* const high = std::get_if<layer_of<High>>(&layer_)) return high->merge();
    NestedLinear copy = *this;
    copy.set_bits(High);
    return copy.merge();
  }

  /// f(layer) with the QuantLinear of the width that is set.
  template <class F>
  auto visit(F f) const {
    return std::visit(f, layer_);
  }
  template <class F>
  auto visit(F f) {
    return std::visit(f, layer_);
  }

 private:
  using any_width = std::variant<layer_of<High>, layer_of<Lows>...>;

  template <int Bits>
  void switch_to() {
    any_width next = visit([](auto& layer) {
      return any_width(std::in_place_type<layer_of<Bits>>,
                       std::move(layer).template on_grid<grid_of<Bits>>());
    });
    layer_ = std::move(next);
  }

  any_width layer_;
};

/// The lower width Low of merged integers: codes rounded again, scales times 2^(High - Low), no
/// float weight needed. Always from the highest width: 8 to 4 to 2 is not 8 to 2. Forward gives the
/// bits of the layer that trained at that width.
template <int Low, int High, class In, class B>
MergedLinear<Int<Low>, In, B> at_bits(const MergedLinear<Int<High>, In, B>& layer) {
  using G = Nested<High, Low>;
  constexpr bool floats = !std::is_same_v<B, CpuInt8>;
  static_assert(floats,
                "at_bits: this layer multiplies codes. Round it first, then write "
                "at_bits<b>(merged).in<Compute<int8>>().");
  const Shape shape = layer.shape();
  AlignedVector<float> scales(layer.scales().begin(), layer.scales().end());
  for (float& scale : scales) scale *= static_cast<float>(G::step);
  MergedLinear<Int<Low>, In, B> result(shape, layer.layout(), scales, {}, layer.bias());
  for (std::size_t i = 0; i < shape.rows; ++i)
    for (std::size_t j = 0; j < shape.cols; ++j) {
      const auto high = static_cast<float>(layer.code(i, j));
      result.set_code(i, j, G::code(G::clip(G::round(high), 0.0f), 0.0f));
    }
  return result;
}

static_assert(LinearLayer<NestedLinear<BitWidths<8, 4>>>);

}  // namespace lrqat

#endif  // LRQAT_LINEAR_NESTED_LINEAR_HPP
