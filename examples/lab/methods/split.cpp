// SPDX-License-Identifier: MIT
// examples/lab/methods/split.cpp: methods that give a layer other channels than its inputs.
#include "method.hpp"

#include <lrqat/initializer/channel_split_merge.hpp>
#include <lrqat/initializer/weight_on_grid.hpp>
#include <lrqat/linear/split_merge_linear.hpp>
#include <lrqat/method/qllm.hpp>

#include <span>
#include <vector>

namespace lrqat::lab {

namespace {

template <int Bits>
using Tuned = method::Qllm<Bits, 8, dynamic>;

/// With the float weight that it is rounded from once more.
template <int Bits>
struct QllmLayer : SplitMergeLinear<Tuned<Bits>> {
  AlignedVector<float> weight;  // (out, channels)

  QllmLayer(const ChannelSplitMerge& channels, MatrixView<const float> from,
            const QuantOptions& options)
      : SplitMergeLinear<Tuned<Bits>>(
            channels,
            Tuned<Bits>({from.rows, channels.channels()}, SplitMergeRows{from, channels}, options)),
        weight(from.rows * channels.channels()) {
    for (std::size_t i = 0; i < from.rows; ++i)
      channels.weight_row(from.row(i),
                          std::span(weight).subspan(i * channels.channels(), channels.channels()));
  }

  auto rounded() const {
    const MatrixView<const float> view(weight.data(), this->out_features(),
                                       this->channels().channels());
    return SplitMergeLinear(this->channels(), merge_requantised(this->layer(), view));
  }
};

/// Mean |error|^2 of a layer's output with its weight rounded behind these channels, and with the
/// rounding of inputs within the bound, as noise, to 8 bits.
template <int Bits>
double error_behind(const LayerJob& job, const ChannelSplitMerge& channels, float bound) {
  const std::size_t rows = job.weight.rows, in = job.weight.cols, made = channels.channels();
  AlignedVector<float> weight(rows * made), behind(rows * in);
  for (std::size_t i = 0; i < rows; ++i)
    channels.weight_row(job.weight.row(i), std::span(weight).subspan(i * made, made));
  const WeightOnGrid found =
      round_to_nearest<UInt<Bits>>(MatrixView<const float>(weight.data(), rows, made));
  double squares = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    channels.backward(found.weight().row(i), std::span(behind).subspan(i * in, in));
    for (const float w : found.weight().row(i))
      squares += static_cast<double>(w) * static_cast<double>(w);
  }
  const double step = 2 * static_cast<double>(bound) / 255;
  return output_error(job.weight, MatrixView<const float>(behind.data(), rows, in), *job.inputs) +
         squares * step * step / 12;
}

/// Each layer with channels of its own, on the bound that costs its output least.
AnyLinear qllm_layer(const LayerJob& job) {
  const MatrixView<const float> weights[] = {job.weight};
  return with_bits<4, 3, 2>(job.bits, [&](auto bits) {
    const std::vector<float> largest = job.inputs->max_abs();
    const auto channels = [&](std::span<const std::size_t> parts) {
      return split_and_merge_channels(*job.inputs, weights, parts);
    };
    const SplitBound found =
        split_bound_search(largest, [&](std::span<const std::size_t> parts, float bound) {
          return error_behind<bits>(job, channels(parts), bound);
        });
    return AnyLinear(QllmLayer<bits>(channels(found.parts), job.weight, job.options));
  });
}

AnyLinear qllm_rounded(const AnyLinear& any, const QuantOptions&) {
  return made_from<QllmLayer, 4, 3, 2>(
      any, [](const auto& layer) { return AnyLinear(layer.rounded()); });
}

ReconstructionPlan qllm_plan(int) {
  ReconstructionPlan plan;
  plan.epochs = 10;
  plan.optimizer.learning_rate = 5e-4;
  plan.optimizer.beta2 = 0.999;
  return plan;
}

}  // namespace

void add_split_methods(std::vector<PaperMethod>& all) {
  all.push_back({.name = "qllm-a8",
                 .source = "Liu et al., arXiv 2310.08041, inputs of 8 bits",
                 .bits = {4, 3, 2},
                 .deployed = Deployed::codes_and_turned,
                 .size =
                     [](Shape weight, int bits, std::size_t rank) {
                       return codes_and_zero_points(weight, bits, rank) +
                              16.0 * static_cast<double>(weight.cols);  // which input a channel is
                     },
                 .calibrates = true,
                 .layer = qllm_layer,
                 .reconstruction = qllm_plan,
                 .converted = qllm_rounded});
}

}  // namespace lrqat::lab
