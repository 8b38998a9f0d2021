// SPDX-License-Identifier: MIT
// linear/observed_linear.hpp: a linear layer whose inputs are recorded on the way.
#ifndef LRQAT_LINEAR_OBSERVED_LINEAR_HPP
#define LRQAT_LINEAR_OBSERVED_LINEAR_HPP

#include <lrqat/initializer/input_statistics.hpp>

#include <cstddef>

namespace lrqat {

/// Looks at a float layer from outside: forward gives that layer's outputs and adds its inputs to
/// the statistics, where there are any. It does not train. Layer and statistics must outlive it.
template <class Linear>
class ObservedLinear {
 public:
  using scalar = float;

  /// @param statistics  of Linear's inputs, or null to record nothing
  explicit ObservedLinear(const Linear& linear, InputStatistics* statistics = nullptr)
      : linear_(&linear), statistics_(statistics) {}

  std::size_t in_features() const { return linear_->in_features(); }
  std::size_t out_features() const { return linear_->out_features(); }
  void forward(MatrixView<const float> x, MatrixView<float> y) const {
    if (statistics_ != nullptr) statistics_->add(x);
    linear_->forward(x, y);
  }

 private:
  const Linear* linear_;
  InputStatistics* statistics_;
};

}  // namespace lrqat

#endif  // LRQAT_LINEAR_OBSERVED_LINEAR_HPP
