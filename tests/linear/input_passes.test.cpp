// SPDX-License-Identifier: MIT
// tests/linear/input_passes.test.cpp: quantized inputs in front of a layer.
#include <lrqat/linear/input_passes.hpp>

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

namespace lrqat::test::input_passes_cases {
namespace {

/// The layer with an input quantizer is the plain one behind it: products see x_hat, and grad_x is
/// masked where a code was clipped.
template <class In>
void check(std::size_t tokens) {
  constexpr std::size_t out = 9, in = 21;
  const MachineSettings restored;
  const Matrix weight = random_matrix(out, in, 0.4f, 1), x = random_matrix(tokens, in, 1.0f, 2);
  const Matrix grad_y = random_matrix(tokens, out, 1.0f, 3);
  QuantLinear<Int<4>, LowRank<2>> plain(weight.view());
  QuantLinear<Int<4>, LowRank<2>, In> layer(weight.view());
  randomize_adapter(plain, 0.5f, 4);
  randomize_adapter(layer, 0.5f, 4);

  Matrix x_hat(tokens, in);
  for (std::size_t t = 0; t < tokens; ++t) In::forward(x.view().row(t), x_hat.view().row(t));
  Passes expected = run_passes(plain, x_hat, grad_y);
  Matrix ones(tokens, in, 1.0f);
  for (std::size_t t = 0; t < tokens; ++t) In::backward(x.view().row(t), ones.view().row(t));
  for (std::size_t i = 0; i < ones.values.size(); ++i)
    if (ones.values[i] == 0.0f) expected.grad_x.values[i] = 0.0f;
  for (const int threads : thread_counts({1, 2, 3})) {
    set_thread_count(threads);
    CHECK(run_passes(layer, x, grad_y) == expected);
  }
}

TEST_CASE("Input quantizer: a layer behind it is the plain layer on x_hat", "[linear]") {
  for (const std::size_t tokens :
       {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{200}}) {
    check<Input<UInt<8>>>(tokens);
    check<Input<UInt<4>>>(tokens);
    check<Input<UInt<4>, PerToken, IntegerZeroPoint>>(tokens);
  }
}

TEST_CASE("add_bias: an empty one is none", "[linear]") {
  Matrix y(130, 2, 1.0f);
  add_bias({}, y.view());
  CHECK(y.values == std::vector<float>(260, 1.0f));
  const std::vector<float> bias{0.5f, -1.0f};
  add_bias(bias, y.view());
  for (std::size_t t = 0; t < 130; ++t) CHECK((y(t, 0) == 1.5f && y(t, 1) == 0.0f));
}

}  // namespace
}  // namespace lrqat::test::input_passes_cases
