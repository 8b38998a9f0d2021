// SPDX-License-Identifier: MIT
// tests/method/lora.test.cpp: low-rank updates of a frozen weight, quantized (QLoRA) or not (LoRA).
#include <lrqat/method/lora.hpp>
#include <lrqat/method/qlora.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <concepts>

namespace lrqat::test::lora_cases {
namespace {

using Lora = method::Lora<4>;
using Qlora = method::Qlora<4>;
static_assert(std::same_as<Lora, QuantLinear<Unquantized, PerChannel, Dense<float>, LowRank<4>,
                                             WeightDomain, UnitScale, AdapterOnly>>);
static_assert(std::same_as<Lora::merged, DenseLinear<float>> && Lora::merges && !Qlora::merges);

constexpr std::size_t out = 19, in = 67, tokens = 7;
const Matrix weight = random_matrix(out, in, 0.3f, 1), x = random_matrix(tokens, in, 1.0f, 2),
             grad_y = random_matrix(tokens, out, 1.0f, 3);

/// x W^T + gain (x B^T) A^T, the branch on its own, in double.
template <class Layer>
void check_branch(const Layer& layer, const Matrix& w, const Matrix& y) {
  const auto& adapter = layer.weight().adapter();
  for (std::size_t t = 0; t < tokens; ++t) {
    std::vector<double> xb(adapter.rank());
    for (std::size_t k = 0; k < xb.size(); ++k)
      for (std::size_t j = 0; j < in; ++j) xb[k] += double{x(t, j)} * double{adapter.b()(k, j)};
    for (std::size_t i = 0; i < out; ++i) {
      double sum = 0, magnitude = 0;
      for (std::size_t j = 0; j < in; ++j) {
        sum += double{x(t, j)} * double{w(i, j)};
        magnitude += std::fabs(double{x(t, j)} * double{w(i, j)});
      }
      for (std::size_t k = 0; k < xb.size(); ++k) {
        sum += double{adapter.gain()} * xb[k] * double{adapter.a()(i, k)};
        for (std::size_t j = 0; j < in; ++j)
          magnitude +=
              double{adapter.gain()} *
              std::fabs(double{x(t, j)} * double{adapter.b()(k, j)} * double{adapter.a()(i, k)});
      }
      // A chain of 67 terms, each of a weight with 4 + 2 roundings.
      CHECK(std::fabs(double{y(t, i)} - sum) <= (67 + 6) * 0x1p-24 * magnitude);
    }
  }
}

TEST_CASE("LoRA: step 0 is the weight itself, and B has no gradient yet", "[method]") {
  const Lora layer(weight.view());
  CHECK(bits_of(weight_of(layer).values) == bits_of(weight.values));
  Lora trained = layer;
  CHECK(trained.parameters().size() == 2);  // A, B; no scale
  const Passes passes = run_passes(layer, x, grad_y);
  CHECK(bits_of(passes.gradients[1]) == bits_of(std::vector<float>(4 * in)));
  CHECK(passes.gradients[0] != std::vector<float>(4 * out));
}

TEST_CASE("LoRA: merging gives the same bits, and the branch beside the weight to rounding",
          "[method]") {
  Lora layer(weight.view(), {.alpha = 8.0f}, random_matrix(1, out, 1.0f, 9).values);
  randomize_adapter(layer, 0.3f, 4);
  const DenseLinear<float> merged = layer.merge();
  Matrix y(tokens, out), merged_y(tokens, out), expected(tokens, out);
  layer.forward(x.view(), y.view());
  merged.forward(x.view(), merged_y.view());
  CHECK(bits_of(merged_y.values) == bits_of(y.values));
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t i = 0; i < out; ++i) merged_y(t, i) -= layer.bias()[i];
  Lora without_bias(weight.view(), {.alpha = 8.0f});
  randomize_adapter(without_bias, 0.3f, 4);
  without_bias.forward(x.view(), y.view());
  check_branch(without_bias, weight, y);
}

TEST_CASE("LoRA: dA and dB are true derivatives", "[method]") {
  Lora layer(weight.view(), {.alpha = 2.0f});
  randomize_adapter(layer, 0.3f, 4);
  const Passes passes = run_passes(layer, x, grad_y);
  const auto loss = [&] {
    Matrix y(tokens, out);
    layer.forward(x.view(), y.view());
    double sum = 0;
    for (std::size_t i = 0; i < y.values.size(); ++i)
      sum += double{y.values[i]} * double{grad_y.values[i]};
    return sum;
  };
  const auto parameters = layer.parameters();
  for (std::size_t p = 0; p < 2; ++p)
    for (std::size_t i = 0; i < parameters[p].value.size(); i += 13) {
      float& value = parameters[p].value[i];
      const float before = value;
      value = before + 0.25f;
      const double above = loss();
      value = before - 0.25f;
      const double slope = (above - loss()) / 0.5;  // exact but for rounding: linear in each
      value = before;
      CHECK(slope == Approx(double{passes.gradients[p][i]}).margin(1e-3));
    }
}

TEST_CASE("QLoRA: step 0 is the rounded weight; the branch is added to it", "[method]") {
  Qlora layer(weight.view(), {.alpha = 8.0f});
  const Matrix base = weight_of(layer);
  const auto scales = layer.weight().scales();
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t first = 0; first < in; first += 64) {
      std::size_t extreme = first;
      for (std::size_t j = first; j < std::min(first + 64, in); ++j) {
        if (std::fabs(weight(i, j)) > std::fabs(weight(i, extreme))) extreme = j;
        const float scale = scales[layer.weight().layout().index(i, j)];
        CHECK(base(i, j) == scale * Codebook<Nf4>::round(weight(i, j) / scale));
      }
      CHECK(base(i, extreme) == weight(i, extreme));
    }
  const Passes start = run_passes(layer, x, grad_y);
  CHECK(layer.parameters().size() == 2);
  CHECK(bits_of(start.gradients[1]) == bits_of(std::vector<float>(4 * in)));
  randomize_adapter(layer, 0.3f, 4);
  Matrix y(tokens, out), dense_y(tokens, out);
  layer.forward(x.view(), y.view());
  check_branch(layer, base, y);
  layer.dense().forward(x.view(), dense_y.view());
  CHECK(bits_of(dense_y.values) == bits_of(y.values));
}

TEST_CASE("QLoRA: double quantization moves scales and no code", "[method]") {
  Qlora layer(weight.view());
  const auto codes = [&] {
    const auto base = layer.weight().base();
    return std::vector<std::byte>(base.begin(), base.end());
  };
  const auto before = codes();
  const std::vector<float> scales = copy_of(layer.weight().scales());
  double_quantize(layer.weight().scales());
  CHECK(codes() == before);
  CHECK(copy_of(layer.weight().scales()) != scales);
  std::vector<QParams> qparams;
  for (const float scale : scales) qparams.push_back({scale, 0.0f});
  const Qlora built(weight.view(), double_quantized(qparams));
  CHECK(bits_of(built.weight().scales()) == bits_of(layer.weight().scales()));
}

TEST_CASE("Codebook: a merged layer has the bits of the trained one, tokens few and many",
          "[method]") {
  using Layer = QuantLinear<Codebook<Nf4>, PerGroup<16>, LowRank<2>, WeightDomain>;
  Layer layer(weight.view());
  randomize_adapter(layer, 0.1f, 4);
  const auto merged = layer.merge();
  CHECK(bits_of(weight_of(merged).values) == bits_of(weight_of(layer).values));
  for (const std::size_t rows : {1u, 3u, 33u}) {
    const Matrix many = random_matrix(rows, in, 1.0f, 5);
    Matrix y(rows, out), merged_y(rows, out);
    layer.forward(many.view(), y.view());
    merged.forward(many.view(), merged_y.view());
    CHECK(bits_of(merged_y.values) == bits_of(y.values));
  }
}

}  // namespace
}  // namespace lrqat::test::lora_cases
