// SPDX-License-Identifier: MIT
// linear/any_linear.hpp: a linear layer whose scheme is chosen at run time.
#ifndef LRQAT_LINEAR_ANY_LINEAR_HPP
#define LRQAT_LINEAR_ANY_LINEAR_HPP

#include <lrqat/concept/linear_layer.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/linear/detail/mergeable.hpp>
#include <lrqat/linear/layer_bytes.hpp>
#include <lrqat/linear/merged_weight.hpp>

#include <algorithm>
#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace lrqat {

namespace detail {

template <class L>
inline constexpr bool has_codes = requires(const L& layer) {
  lrqat::merged_weight(layer);
};
/// Codes and all, but in another basis than its x.
template <class L>
inline constexpr bool is_behind_transform = requires {
  requires changes_basis<typename L::input>;
};
template <class L>
inline constexpr bool has_plain_weight = requires(const L& layer) {
  { layer.weight() } -> std::same_as<MatrixView<const float>>;
};

}  // namespace detail

/// Holds any float LinearLayer, trained or merged, behind one type: a model that is compiled once
/// takes any scheme, or another one in each layer. What a layer cannot do throws Error and says so.
class AnyLinear {
 public:
  using scalar = float;

  template <class L>
  requires(!std::is_same_v<std::remove_cvref_t<L>, AnyLinear>) explicit AnyLinear(L layer)
      : layer_(std::make_unique<Held<L>>(std::move(layer))) {}

  std::size_t in_features() const { return layer_->in_features(); }
  std::size_t out_features() const { return layer_->out_features(); }
  void forward(MatrixView<const float> x, MatrixView<float> y) const { layer_->forward(x, y); }
  /// @throws Error for a merged layer, which has no backward pass
  void backward(MatrixView<const float> x, MatrixView<const float> grad_y,
                MatrixView<float> grad_x) {
    layer_->backward(x, grad_y, grad_x);
  }
  /// What the layer has to do after an update of its parameters; nothing for most.
  void after_step() { layer_->after_step(); }
  /// Empty for a merged layer.
  Parameters<float> parameters() { return layer_->parameters(); }
  /// The merged layer. @throws Error for a layer that has no codes to merge into
  AnyLinear merge() const { return AnyLinear(layer_->merge()); }
  /// Codes and scales of a merged layer. @throws Error for any other
  MergedWeight merged_weight() const { return layer_->merged_weight(); }
  bool is_merged() const { return layer_->is_merged(); }
  /// The weight (out, in) of a plain or merged layer. @throws Error for one that trains on a grid or
  /// is behind a transform
  AlignedVector<float> weight() const { return layer_->weight(); }
  /// All zero for layers that do not count their bytes.
  LayerBytes bytes() const { return layer_->bytes(); }
  /// The layer inside if it is an L, else null.
  template <class L>
  L* get_if() {
    auto* const held = dynamic_cast<Held<L>*>(layer_.get());
    return held == nullptr ? nullptr : &held->layer;
  }
  template <class L>
  const L* get_if() const {
    const auto* const held = dynamic_cast<const Held<L>*>(layer_.get());
    return held == nullptr ? nullptr : &held->layer;
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::size_t in_features() const = 0;
    virtual std::size_t out_features() const = 0;
    virtual void forward(MatrixView<const float>, MatrixView<float>) const = 0;
    virtual void backward(MatrixView<const float>, MatrixView<const float>, MatrixView<float>) = 0;
    virtual Parameters<float> parameters() = 0;
    virtual void after_step() = 0;
    virtual std::unique_ptr<Interface> merge() const = 0;
    virtual MergedWeight merged_weight() const = 0;
    virtual bool is_merged() const = 0;
    virtual AlignedVector<float> weight() const = 0;
    virtual LayerBytes bytes() const = 0;
  };

  template <class L>
  struct Held final : Interface {
    explicit Held(L held) : layer(std::move(held)) {}
    std::size_t in_features() const override { return layer.in_features(); }
    std::size_t out_features() const override { return layer.out_features(); }
    void forward(MatrixView<const float> x, MatrixView<float> y) const override {
      layer.forward(x, y);
    }
    void backward(MatrixView<const float> x, MatrixView<const float> grad_y,
                  MatrixView<float> grad_x) override {
      if constexpr (requires { layer.backward(x, grad_y, grad_x); })
        layer.backward(x, grad_y, grad_x);
      else
        fail("AnyLinear::backward: this layer (", out_features(), ", ", in_features(),
             ") is merged; train it before merge()");
    }
    Parameters<float> parameters() override {
      if constexpr (requires { layer.parameters(); })
        return layer.parameters();
      else
        return {};
    }
    void after_step() override {
      if constexpr (requires { layer.after_step(); }) layer.after_step();
    }
    std::unique_ptr<Interface> merge() const override {
      if constexpr (detail::mergeable<L>)
        return std::make_unique<Held<decltype(layer.merge())>>(layer.merge());
      else
        fail("AnyLinear::merge: this layer (", out_features(), ", ", in_features(),
             ") has no codes to merge into, or has an adapter beside them");
    }
    bool is_merged() const override { return detail::has_codes<L>; }
    MergedWeight merged_weight() const override {
      if constexpr (detail::has_codes<L> && detail::is_behind_transform<L>)
        fail("AnyLinear::merged_weight: this layer (", out_features(), ", ", in_features(),
             ") has its codes behind a transform of x, which they alone do not say; train it without "
             "the transform to write its codes");
      else if constexpr (detail::has_codes<L>)
        return lrqat::merged_weight(layer);
      else
        fail("AnyLinear::merged_weight: this layer (", out_features(), ", ", in_features(),
             ") has no codes; merge() it first");
    }
    AlignedVector<float> weight() const override {
      AlignedVector<float> values(out_features() * in_features());
      const MatrixView<float> view(values.data(), out_features(), in_features());
      if constexpr (detail::is_behind_transform<L>)
        fail("AnyLinear::weight: this layer (", out_features(), ", ", in_features(),
             ") has its weight behind a transform of x; train it without the transform to write it");
      else if constexpr (detail::has_codes<L>)
        layer.weight({0, 0, view.rows, view.cols}, view);
      else if constexpr (detail::has_plain_weight<L>)
        std::copy_n(layer.weight().data, values.size(), values.data());
      else
        fail("AnyLinear::weight: this layer (", out_features(), ", ", in_features(),
             ") trains on a grid; merge() it first");
      return values;
    }
    LayerBytes bytes() const override {
      if constexpr (requires { layer.bytes(); })
        return layer.bytes();
      else
        return {};
    }
    L layer;
  };

  explicit AnyLinear(std::unique_ptr<Interface> layer) : layer_(std::move(layer)) {}

  std::unique_ptr<Interface> layer_;
};

static_assert(LinearLayer<AnyLinear>);

}  // namespace lrqat

#endif  // LRQAT_LINEAR_ANY_LINEAR_HPP
