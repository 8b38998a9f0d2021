// SPDX-License-Identifier: MIT
// core/parameter.hpp: what a layer hands to an optimizer.
#ifndef LRQAT_CORE_PARAMETER_HPP
#define LRQAT_CORE_PARAMETER_HPP

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lrqat {

/// What a parameter is for, so that an optimizer can give each group its own learning rate. `input`
/// is what quantizes activations.
enum class Role { adapter, scale, weight, bias, norm, embedding, zero_point, offset, clip,
                  transform, input };

/// One trained tensor and its gradient: two spans of equal length, owned by the layer, valid as
/// long as the layer is neither moved nor destroyed. backward() adds to `gradient`.
template <class T = float>
struct Parameter {
  std::string name;       // unique in its layer: "A", "B", "scale", "bias", ...
  Role role = Role::weight;
  std::span<T> value;
  std::span<T> gradient;
};

template <class T = float>
using Parameters = std::vector<Parameter<T>>;

/// `prefix` + "." before each name: how a model names the parameters of its layers.
template <class T>
void append_prefixed(Parameters<T>& all, const std::string& prefix, Parameters<T> some) {
  for (Parameter<T>& parameter : some) {
    parameter.name = prefix + "." + parameter.name;
    all.push_back(std::move(parameter));
  }
}

}  // namespace lrqat

#endif  // LRQAT_CORE_PARAMETER_HPP
