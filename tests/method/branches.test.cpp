// SPDX-License-Identifier: MIT
// tests/method/branches.test.cpp: LoftQ, LQER and QVGen: branches that start from an error.
#include <lrqat/method/loftq.hpp>
#include <lrqat/method/lqer.hpp>
#include <lrqat/method/lr_qat.hpp>
#include <lrqat/method/qvgen.hpp>

#include <lrqat/initializer/eigen/loftq.hpp>
#include <lrqat/initializer/eigen/lqer.hpp>
#include <lrqat/initializer/eigen/shrink.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/initializer/quantization_error.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>

namespace lrqat::test::branches_cases {
namespace {

constexpr std::size_t out = 19, in = 80, tokens = 7;
const Matrix weight = random_matrix(out, in, 0.3f, 1), x = random_matrix(tokens, in, 1.0f, 2),
             grad_y = random_matrix(tokens, out, 1.0f, 3);

double distance(const Matrix& a, const Matrix& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i)
    sum += std::pow(double{a.values[i]} - double{b.values[i]}, 2);
  return std::sqrt(sum);
}

TEST_CASE("LoftQ: the layer starts closer to the weight than rounding to nearest", "[method]") {
  using Layer = method::LoftQ<Nf2, 4>;
  const Matrix rtn = weight_of(Layer(weight.view()));
  const Layer one = loftq_layer<Layer>(weight.view(), 1),
              five = loftq_layer<Layer>(weight.view(), 5);
  CHECK(one.weight().adapter().gain() == 1.0f);
  const double one_error = distance(weight, weight_of(one));
  CHECK(one_error < distance(weight, rtn));
  CHECK(distance(weight, weight_of(five)) <= one_error * (1 + 1e-6));
  CHECK(!Layer::merges);
}

TEST_CASE("LR-QAT started from LoftQ: base Q, and Q + A B rounded", "[method]") {
  using Layer = QuantLinear<Int<3>, LowRank<4>, InsideRounding, Dense<float>>;
  const Layer layer = loftq_layer<Layer>(weight.view(), 3);
  const LoftQ start = loftq(weight.view(), 4, 3, [](auto values, auto rounded) {
    Layer(values).weight().weight({0, 0, out, in}, rounded);
  });
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; ++j) {
      const float scale = layer.weight().scales()[i];
      double u = double{start.base[i * in + j]} / double{scale};
      for (std::size_t k = 0; k < 4; ++k)
        u += double{start.factors.a()(i, k)} / double{scale} * double{start.factors.b()(k, j)};
      if (std::fabs(std::fabs(u - std::floor(u)) - 0.5) < 1e-4) continue;  // a tie, nearly
      const double level = std::clamp(std::nearbyint(u), -4.0, 3.0);
      CHECK(double{weight_of(layer)(i, j)} == Approx(double{scale} * level).margin(1e-6));
    }
  CHECK_NOTHROW(layer.merge());
}

TEST_CASE("LQER: a branch in MXINT8 beside MXINT4, closer than MXINT4 alone", "[method]") {
  using Layer = method::Lqer<4, 8>;
  Layer layer(weight.view(), {.alpha = 8.0f});
  CHECK(layer.parameters().size() == 2);  // which nobody trains
  const Matrix quantized = weight_of(layer);
  for (std::size_t cell = 0; cell < layer.weight().scales().size(); ++cell) {
    int exponent = 0;
    CHECK(std::frexp(layer.weight().used_scale(cell), &exponent) == 0.5f);
  }
  Matrix mxint4 = weight;
  round_to_grid<Int<4>, FullRange, PowerOfTwoScale>(mxint4.view(), 16);
  CHECK(mxint4.values == quantized.values);

  LowRankFactors factors = lqer(weight.view(), quantized.view(), 8);
  method::set_mxint8_factors(layer, factors.a(), factors.b());
  CHECK(distance(weight, weight_of(layer)) < 0.8 * distance(weight, quantized));
  const auto& adapter = layer.weight().adapter();
  for (const auto factor : {adapter.a(), adapter.b()})
    for (std::size_t i = 0; i < factor.rows; ++i)
      for (std::size_t first = 0; first < factor.cols; first += 16) {
        // On the grid: multiples of one power of two, which at most 128 of reach the largest.
        const auto block =
            factor.row(i).subspan(first, std::min<std::size_t>(16, factor.cols - first));
        float largest = 0;
        for (const float value : block) largest = std::max(largest, std::fabs(value));
        const float step = PowerOfTwoScale::round<Int<8>>(std::max(largest / 128, 0x1p-26f), 0.0f);
        for (const float value : block) CHECK(std::nearbyint(value / step) == value / step);
      }
}

TEST_CASE("QVGen: all of the error in the branch is the weight itself", "[method]") {
  using Layer = method::QvGen<4, out>;
  using Plain = method::LsqPlus<4>;
  Layer layer(Plain(weight.view()), {.alpha = static_cast<float>(out)});
  const AlignedVector<float> error = quantization_error(layer.layer(), weight.view());
  const LowRankFactors factors = svd_low_rank({error.data(), out, in}, out);
  layer.branch().set_factors(factors.a(), factors.b());
  const auto whole_weight = [&] {
    Matrix sum = weight_of(layer.layer());
    layer.branch().add({0, 0, out, in}, sum.view());
    return sum;
  };
  CHECK(distance(whole_weight(), weight) < 1e-5);

  // The way down, and what is left at its end.
  auto& branch = layer.branch();
  const Matrix at_start = weight_of(layer.layer());
  for (std::size_t step = 0; branch.rank() > 0; ++step) {
    const RankGate now = rank_gate(step, out, 2);
    if (now.rank < branch.rank()) {
      branch.set_gate(now.rank, 0.0f);
      const Matrix before = whole_weight();
      shrink(branch, now.rank);
      CHECK(distance(whole_weight(), before) < 1e-5);
    }
    branch.set_gate(now.kept, now.gate);
    CHECK(layer.parameters().size() == (now.rank > 0 ? 5 : 3));  // A, B; W, scale, offset
    if (branch.rank() > 0)
      CHECK_THROWS_WITH(layer.merge(), Catch::Matchers::Contains("the branch still has rank"));
  }
  CHECK(bits_of(weight_of(layer.layer()).values) == bits_of(at_start.values));
  const Passes passes = run_passes(layer, x, grad_y);
  CHECK(passes == run_passes(Plain(weight.view()), x, grad_y));
  const auto merged = layer.merge();
  Matrix y(tokens, out);
  merged.forward(x.view(), y.view());
  CHECK(bits_of(y.values) == bits_of(passes.y.values));
}

TEST_CASE("QVGen: what the weight under the branch learns is LSQ+'s, its gradient from the sum",
          "[method]") {
  using Layer = method::QvGen<3, 4>;
  Layer layer(method::LsqPlus<3>(weight.view()), {.alpha = 4.0f});
  method::LsqPlus<3> alone(weight.view());
  const auto gradients = [](auto& trained) {
    trained.backward(x.view(), grad_y.view(), Matrix(tokens, in).view());
    Parameters<float> all = trained.parameters();
    std::vector<float> values;
    for (std::size_t p = 0; p < 3; ++p)
      values.insert(values.end(), all[p].gradient.begin(), all[p].gradient.end());
    return values;
  };
  CHECK(bits_of(gradients(layer)) == bits_of(gradients(alone)));
}

}  // namespace
}  // namespace lrqat::test::branches_cases
