// SPDX-License-Identifier: MIT
// examples/lab/methods/method.hpp: a published method as rows of the table of methods.
#ifndef LRQAT_LAB_METHODS_METHOD_HPP
#define LRQAT_LAB_METHODS_METHOD_HPP

#include "../model.hpp"
#include "../recipe.hpp"

#include <lrqat/core/expects.hpp>
#include <lrqat/initializer/input_statistics.hpp>
#include <lrqat/linear/any_linear.hpp>
#include <lrqat/nn/block_guide.hpp>
#include <lrqat/nn/calibration.hpp>
#include <lrqat/nn/linear_name.hpp>
#include <lrqat/nn/llama_weights.hpp>
#include <lrqat/optim/adamw.hpp>
#include <lrqat/train/block_reconstruction.hpp>
#include <lrqat/train/trainer.hpp>  // TrainPlan

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace lrqat::lab {

/// What a layer is once it is trained.
enum class Deployed {
  codes,             // integers and scales, nothing else
  codes_and_turned,  // the same, behind a transform of the input that stays
  codes_and_branch,  // a product of its own stays beside the integers
  codes_and_sparse   // some weights stay in more bits, with their places
};

/// One linear layer to make.
struct LayerJob {
  MatrixView<const float> weight;  // (out, in)
  LinearName name;
  int bits = 0;
  const InputStatistics* inputs = nullptr;  // what it reads in the float model; where it calibrates
  QuantOptions options{};                   // rank, alpha, seed
};

/// Bits of a deployed layer of that shape (out, in).
using BitCount = std::function<double(Shape weight, int bits, std::size_t rank)>;

/// A MicroStep on batches of tokens.
using TrainingStep = std::function<double(std::span<const std::uint16_t> inputs,
                                          std::span<const std::uint16_t> targets, std::size_t batch,
                                          std::size_t length, float gradient_scale)>;

/// What such a step works with; all of it outlives the training.
struct Lesson {
  Model& model;
  Model& teacher;  // the float model
  const AdamW& optimizer;
};

struct PaperMethod {
  std::string name;    // "gptq": a row is gptq-w3
  std::string source;  // "Frantar et al., arXiv 2210.17323"
  std::vector<int> bits;
  Deployed deployed = Deployed::codes;
  BitCount size{};
  bool calibrates = false;  // its layers or its fold ask for statistics
  std::function<AnyLinear(const LayerJob&)> layer{};
  /// The float model that is quantized in place of the given one, the same function of its tokens.
  std::function<LlamaWeights(const LlamaWeights&, const Calibration&, int bits)> fold{};
  /// Block by block against the float model, before anything else is trained; then `converted`
  /// takes each layer's place.
  std::function<ReconstructionPlan(int bits)> reconstruction{};
  std::function<AnyLinear(const AnyLinear&, const QuantOptions&)> converted{};
  bool learns_transforms = false;  // each block with an EquivalentTransform
  /// Nothing is trained from end to end where it is empty.
  std::function<LearningRates(int bits)> rates{};
  /// AdamWOptions::factors; none where it is empty.
  std::function<std::vector<double>(const Parameters<float>&)> rate_factors{};
  bool follows_teacher = false;  // on the float model's logits in place of the text
  bool writes_its_text = false;  // and on text that the float model wrote
  /// A step of its own in place of these. May add to the plan's hooks.
  std::function<TrainingStep(const Lesson&, TrainPlan& plan)> step{};
  /// Who is asked in every pass of the model, in training and in measuring.
  std::function<std::shared_ptr<BlockGuide<float>>(Model&)> guide{};
  /// A step has a pass under each of these widths, in place of one.
  std::vector<int> widths{};
  /// Training is cut into so many phases of equal length, each with an optimizer of its own;
  /// `phase` prepares the layers for each but the first.
  std::size_t phases = 1;
  std::function<void(AnyLinear&, std::size_t phase)> phase{};
  /// Between gradients and update, to each layer: regularisers, gates. `done` is the part of the
  /// steps.
  std::function<void(AnyLinear&, double done)> before_update{};
  /// The layer that is measured, where it is not the trained one.
  std::function<AnyLinear(const AnyLinear&, int bits)> finished{};
};

/// All of them, in the order of their families. A family is compiled in a file of its own.
std::vector<PaperMethod> paper_methods();

/// Of a layer of nested widths. @throws Error for another one
void set_width(AnyLinear& layer, int bits);

/// f(std::integral_constant<int, bits>) for a width that a method has rows of.
template <int... Widths, class F>
AnyLinear with_bits(int bits, F&& f) {
  std::optional<AnyLinear> made;
  ((bits == Widths ? (made.emplace(f(std::integral_constant<int, Widths>{})), true) : false) ||
   ...);
  expects(made.has_value(), "a method has no layer of ", bits, " bits");
  return std::move(*made);
}

/// maker<Layer, 4, 3, 2>(): Layer<bits>(weight, options).
template <template <int> class Layer, int... Widths>
std::function<AnyLinear(const LayerJob&)> maker() {
  return [](const LayerJob& job) {
    return with_bits<Widths...>(
        job.bits, [&](auto bits) { return AnyLinear(Layer<bits>(job.weight, job.options)); });
  };
}

/// f(layer) of the width that `any` has. @throws Error where it has none of them
template <template <int> class Layer, int... Widths, class F>
AnyLinear made_from(const AnyLinear& any, F&& f) {
  std::optional<AnyLinear> made;
  const auto from = [&](const auto* layer) {
    if (layer != nullptr) made.emplace(f(*layer));
  };
  (from(any.get_if<Layer<Widths>>()), ...);
  expects(made.has_value(), "a layer is of another type than its method made");
  return std::move(*made);
}

/// Those of LR-QAT, and of weights that are trained themselves.
LearningRates lr_qat_rates(int bits);
LearningRates full_rates(int bits);

/// Codes, a 16-bit scale for each cell, and `more` bits for each cell (a zero point, an offset).
BitCount codes_per_channel(double more = 0);
/// With a zero point for each output.
double codes_and_zero_points(Shape weight, int bits, std::size_t rank);
BitCount codes_per_group(std::size_t group, double more = 0);
/// The same beside a low-rank branch in 16 bits.
BitCount beside_branch(BitCount codes);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_METHODS_METHOD_HPP
