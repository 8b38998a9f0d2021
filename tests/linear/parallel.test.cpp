// SPDX-License-Identifier: MIT
// tests/linear/parallel.test.cpp: a low-rank branch beside a quantized base.
#include <lrqat/linear/quant_linear.hpp>

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <cmath>

namespace lrqat::test::parallel_cases {
namespace {

constexpr std::size_t out = 37, in = 53, tokens = 19;

using Base = QuantLinear<Int<4>, PerGroup<16>, Packed, ScaleOnly>;
template <class... Policies>
using Branch = QuantLinear<Int<4>, PerGroup<16>, LowRank<3>, Parallel, Policies...>;

static_assert(std::same_as<Branch<>, Branch<Packed>>);
static_assert(!Branch<>::merges && Base::merges);
// Without an adapter there is no branch.
static_assert(QuantLinear<Int<4>, Parallel, ScaleOnly>::merges);

const Matrix weight = random_matrix(out, in, 0.3f, 1), x = random_matrix(tokens, in, 1.0f, 2),
             grad_y = random_matrix(tokens, out, 1.0f, 3);

TEST_CASE("Parallel: a branch of zeros has the bits of the base alone", "[linear]") {
  Base base(weight.view());
  Branch<> branch(weight.view());
  CHECK(bits_of(run_passes(branch, x, grad_y).y.values) ==
        bits_of(run_passes(base, x, grad_y).y.values));
}

TEST_CASE("Parallel: the base plus a plain LoRA branch, forward and backward", "[linear]") {
  Base base(weight.view());
  Branch<> branch(weight.view());
  randomize_adapter(branch, 0.5f, 4);
  const Passes of_base = run_passes(base, x, grad_y), of_branch = run_passes(branch, x, grad_y);
  const auto a = named(branch.parameters(), "A").value, b = named(branch.parameters(), "B").value;
  constexpr std::size_t rank = 3;
  const double gain = 1.0 / rank;

  // y and dx beside the branch in double; float sums of up to 53 + 3 terms of size |x| |w|.
  const auto near = [](float got, double expected, double size) {
    CHECK(std::fabs(static_cast<double>(got) - expected) <= 64 * 0x1p-24 * size);
  };
  std::vector<double> inner(tokens * rank), outer(tokens * rank);  // x B^T and dy A
  for (std::size_t t = 0; t < tokens; ++t)
    for (std::size_t k = 0; k < rank; ++k) {
      for (std::size_t j = 0; j < in; ++j)
        inner[t * rank + k] += static_cast<double>(x(t, j)) * static_cast<double>(b[k * in + j]);
      for (std::size_t i = 0; i < out; ++i)
        outer[t * rank + k] +=
            static_cast<double>(grad_y(t, i)) * static_cast<double>(a[i * rank + k]);
    }
  const double size = 100.0;  // sum |x| |w| over 53 inputs of |x| < 4 and |w| < 0.45
  for (std::size_t t = 0; t < tokens; ++t) {
    for (std::size_t i = 0; i < out; ++i) {
      double expected = static_cast<double>(of_base.y(t, i));
      for (std::size_t k = 0; k < rank; ++k)
        expected += gain * inner[t * rank + k] * static_cast<double>(a[i * rank + k]);
      near(of_branch.y(t, i), expected, size);
    }
    for (std::size_t j = 0; j < in; ++j) {
      double expected = static_cast<double>(of_base.grad_x(t, j));
      for (std::size_t k = 0; k < rank; ++k)
        expected += gain * outer[t * rank + k] * static_cast<double>(b[k * in + j]);
      near(of_branch.grad_x(t, j), expected, size);
    }
  }
  // The gradient of LoRA: dA = gain dy^T (x B^T); the clip mask does not touch it.
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t k = 0; k < rank; ++k) {
      double expected = 0;
      for (std::size_t t = 0; t < tokens; ++t)
        expected += gain * static_cast<double>(grad_y(t, i)) * inner[t * rank + k];
      near(of_branch.gradients[0][i * rank + k], expected, 10 * size);
    }
}

TEST_CASE("Parallel: both backends agree, in both arithmetics of the products", "[linear]") {
  const auto outputs = [](auto layer) {
    randomize_adapter(layer, 0.5f, 4);
    return run_passes(layer, x, grad_y);
  };
  const Passes reference = outputs(Branch<Reference>(weight.view()));
  const Passes cpu = outputs(Branch<>(weight.view()));
  const Passes half = outputs(Branch<Compute<bf16>>(weight.view()));
  for (std::size_t i = 0; i < cpu.y.values.size(); ++i) {
    // As above; with operands in bfloat16 each of them is off by 2^-9.
    CHECK(std::fabs(cpu.y.values[i] - reference.y.values[i]) <= 64 * 0x1p-24f * 100);
    CHECK(std::fabs(half.y.values[i] - reference.y.values[i]) <= 2.1f * 0x1p-9f * 100);
  }
}

}  // namespace
}  // namespace lrqat::test::parallel_cases
