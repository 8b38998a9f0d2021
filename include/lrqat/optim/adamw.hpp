// SPDX-License-Identifier: MIT
// optim/adamw.hpp: AdamW with a learning rate and a decay per role.
#ifndef LRQAT_OPTIM_ADAMW_HPP
#define LRQAT_OPTIM_ADAMW_HPP

#include <lrqat/core/config.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/core/numeric.hpp>
#include <lrqat/core/parameter.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lrqat {

/// The learning rate and the decay of all parameters of one role.
struct GroupRule {
  Role role = Role::weight;
  double learning_rate = 0;
  double weight_decay = 0;
};

/// What AdamW is told besides its parameters. The defaults are the recipe of LR-QAT.
struct AdamWOptions {
  double learning_rate = 1e-3;  // of every role without a rule of its own
  double weight_decay = 0;      // likewise
  double beta1 = 0.9, beta2 = 0.95;
  double epsilon = 1e-8;           // added to the root, outside of it
  std::vector<GroupRule> rules{};  // at most one for a role
  std::vector<double> factors{};   // of each parameter's learning rate; empty: 1
};

/// What AdamW remembers of one parameter: running means of the gradient and of its square.
struct Moments {
  const std::string& name;
  std::span<float> first, second;  // as long as the parameter
};

/// AdamW (Loshchilov and Hutter, "Decoupled weight decay regularization", 2019) in the arithmetic
/// of torch.optim.AdamW: constants are computed in double and rounded to float once, the rest is
/// float32, element by element and with the same bits on every instruction set. It uses one thread:
/// an element takes 2 ns, thousands of times less than the gradient that it needs.
///
///   p *= 1 - lr decay;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
///   p -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
///
/// It owns the moments and refers to the layers' values and gradients, which must outlive it.
class AdamW {
 public:
  /// @pre  names are unique; a parameter's value and gradient are equally long; rates and decays
  ///       are finite and not negative, 0 <= beta < 1, epsilon > 0; factors, likewise, are as many
  ///       as parameters, or none
  explicit AdamW(Parameters<float> parameters, AdamWOptions options = {});

  /// One update from the gradients as they are; every learning rate is multiplied with `factor`.
  void step(double factor = 1.0);

  /// Sets every gradient to zero; a training step starts with it.
  void zero_gradients() {
    for (const Parameter<float>& parameter : parameters_)
      std::fill(parameter.gradient.begin(), parameter.gradient.end(), 0.0f);
  }

  const Parameters<float>& parameters() const { return parameters_; }
  const AdamWOptions& options() const { return options_; }

  /// The rule that holds for a role, given or by default.
  GroupRule rule(Role role) const {
    for (const GroupRule& rule : options_.rules)
      if (rule.role == role) return rule;
    return {role, options_.learning_rate, options_.weight_decay};
  }

  /// Updates done so far: the t of the bias correction.
  std::uint64_t steps() const { return steps_; }
  void set_steps(std::uint64_t steps) { steps_ = steps; }

  /// The moments of parameters()[i], for saving and restoring.
  Moments moments(std::size_t i) {
    const std::size_t size = parameters_[i].value.size();
    return {parameters_[i].name,
            {first_.data() + offsets_[i], size},
            {second_.data() + offsets_[i], size}};
  }

 private:
  struct Constants {
    float keep, beta1, new1, beta2, new2, step_size, root_correction, epsilon;
  };

  LRQAT_INLINE static void update(const Constants& c, std::size_t size, float* value,
                                  const float* gradient, float* first, float* second);

  Parameters<float> parameters_;
  AdamWOptions options_;
  std::vector<std::size_t> offsets_;  // of a parameter's moments in first_ and second_
  std::vector<float> first_, second_;
  std::uint64_t steps_ = 0;
};

inline AdamW::AdamW(Parameters<float> parameters, AdamWOptions options)
    : parameters_(std::move(parameters)), options_(std::move(options)) {
  const auto rate = [](double x) { return std::isfinite(x) && x >= 0; };
  expects(options_.beta1 >= 0 && options_.beta1 < 1 && options_.beta2 >= 0 && options_.beta2 < 1,
          "AdamW: betas ", options_.beta1, " and ", options_.beta2, " must lie in [0, 1)");
  expects(rate(options_.epsilon) && options_.epsilon > 0, "AdamW: epsilon is ", options_.epsilon,
          "; it must be positive");
  expects(rate(options_.learning_rate) && rate(options_.weight_decay), "AdamW: learning rate ",
          options_.learning_rate, " and decay ", options_.weight_decay, " must not be negative");
  for (std::size_t i = 0; i < options_.rules.size(); ++i) {
    const GroupRule& rule = options_.rules[i];
    expects(rate(rule.learning_rate) && rate(rule.weight_decay), "AdamW: rule ", i,
            ": learning rate ", rule.learning_rate, " and decay ", rule.weight_decay,
            " must not be negative");
    for (std::size_t j = 0; j < i; ++j)
      expects(options_.rules[j].role != rule.role, "AdamW: rules ", j, " and ", i,
              " are for the same role");
  }
  expects(options_.factors.empty() || options_.factors.size() == parameters_.size(),
          "AdamW: ", options_.factors.size(), " factors of ", parameters_.size(),
          " parameters' learning rates");
  for (std::size_t i = 0; i < options_.factors.size(); ++i)
    expects(rate(options_.factors[i]), "AdamW: the factor of '", parameters_[i].name, "' is ",
            options_.factors[i], "; it must not be negative");
  std::vector<std::string> names;
  std::size_t total = 0;
  for (const Parameter<float>& parameter : parameters_) {
    expects(parameter.value.size() == parameter.gradient.size(), "AdamW: parameter '",
            parameter.name, "' has ", parameter.value.size(), " values and ",
            parameter.gradient.size(), " gradients");
    offsets_.push_back(total);
    total += parameter.value.size();
    names.push_back(parameter.name);
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  expects(twice == names.end(), "AdamW: two parameters are named '",
          twice == names.end() ? std::string() : *twice, "'");
  first_.resize(total);
  second_.resize(total);
}

inline void AdamW::step(double factor) {
  expects(std::isfinite(factor) && factor >= 0, "AdamW: the schedule's factor is ", factor,
          "; it must not be negative");
  ++steps_;
  const double t = static_cast<double>(steps_);
  const double correction1 = 1 - std::pow(options_.beta1, t);
  const double correction2 = 1 - std::pow(options_.beta2, t);
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter<float>& parameter = parameters_[i];
    const GroupRule group = rule(parameter.role);
    const double own = options_.factors.empty() ? 1.0 : options_.factors[i];
    const double learning_rate = group.learning_rate * own * factor;
    const Constants constants{static_cast<float>(1 - learning_rate * group.weight_decay),
                              static_cast<float>(options_.beta1),
                              static_cast<float>(1 - options_.beta1),
                              static_cast<float>(options_.beta2),
                              static_cast<float>(1 - options_.beta2),
                              static_cast<float>(learning_rate / correction1),
                              static_cast<float>(std::sqrt(correction2)),
                              static_cast<float>(options_.epsilon)};
    kernel::vectorised([&] {
      update(constants, parameter.value.size(), parameter.value.data(), parameter.gradient.data(),
             first_.data() + offsets_[i], second_.data() + offsets_[i]);
    });
  }
}

/// Each product that meets a sum is a fused multiply-add: nothing is left for a compiler to fuse or
/// not, so that every instruction set rounds alike. The roots have a loop of their own, because a
/// root that may set errno keeps a loop from being vectorised.
inline void AdamW::update(const Constants& c, std::size_t size, float* value, const float* gradient,
                          float* first, float* second) {
  constexpr std::size_t block = 256;
  float roots[block];
  for (std::size_t start = 0; start < size; start += block) {
    const std::size_t count = std::min(block, size - start);
    const float* g = gradient + start;
    float* p = value + start;
    float* m = first + start;
    float* v = second + start;
    kernel::for_each_lane(count, [=](std::size_t i) {
      m[i] = fused_multiply_add(c.new1, g[i], c.beta1 * m[i]);
      v[i] = fused_multiply_add(c.new2 * g[i], g[i], c.beta2 * v[i]);
    });
    for (std::size_t i = 0; i < count; ++i) roots[i] = std::sqrt(v[i]);
    const float* root = roots;
    kernel::for_each_lane(count, [=](std::size_t i) {
      const float divisor = root[i] / c.root_correction + c.epsilon;
      p[i] = fused_multiply_add(p[i], c.keep, -(c.step_size * m[i] / divisor));
    });
  }
}

}  // namespace lrqat

#endif  // LRQAT_OPTIM_ADAMW_HPP
