// SPDX-License-Identifier: MIT
// tests/trainable/trainable_set.test.cpp: which parameters a layer hands out.
#include <lrqat/trainable/trainable_set.hpp>

#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/offset.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/linear/quant_linear.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

namespace lrqat::test {
namespace {

template <class Set>
std::vector<std::string> names() {
  const Matrix weight = random_matrix(6, 9, 1.0f, 1), x = random_matrix(4, 9, 1.0f, 2);
  const Matrix gradient = random_matrix(4, 6, 1.0f, 3);
  const std::vector<float> bias(6, 0.5f);
  QuantLinear<Int<4>, LowRank<2>, Set> layer(weight.view(), QuantOptions{}, bias);
  randomize_adapter(layer, 0.1f, 4);
  const Passes passes = run_passes(layer, x, gradient);
  std::vector<std::string> all;
  for (const Parameter<float>& each : layer.parameters()) {
    CHECK(each.gradient.size() == each.value.size());
    const std::vector<float>& got = passes.gradients[all.size()];
    CHECK(std::any_of(got.begin(), got.end(), [](float g) { return g != 0.0f; }));
    all.push_back(each.name);
  }
  return all;
}

TEST_CASE("Trainable sets: what learns is handed out, with a gradient", "[trainable]") {
  CHECK(names<AdapterAndScale>() == std::vector<std::string>{"A", "B", "scale"});
  CHECK(names<ScaleOnly>() == std::vector<std::string>{"scale"});
  CHECK(names<AdapterOnly>() == std::vector<std::string>{"A", "B"});
  CHECK(names<Everything>() == std::vector<std::string>{"A", "B", "scale", "bias"});
  // A grid without zero point and offset has no more to train.
  CHECK(names<AdapterAndQParams>() == std::vector<std::string>{"A", "B", "scale"});
  CHECK(names<QParamsOnly>() == std::vector<std::string>{"scale"});
}

TEST_CASE("Trainable sets: zero points and offsets, on grids that have them", "[trainable]") {
  const Matrix weight = random_matrix(6, 9, 1.0f, 1);
  const auto names_of = [&](auto layer) {
    std::vector<std::string> all;
    for (const Parameter<float>& each : layer.parameters()) all.push_back(each.name);
    return all;
  };
  using Names = std::vector<std::string>;
  using Moved = Offset<Int<4>>;
  CHECK(names_of(QuantLinear<Moved, QParamsOnly>(weight.view())) == Names{"scale", "offset"});
  CHECK(names_of(QuantLinear<Moved, ScaleOnly>(weight.view())) == Names{"scale"});
  CHECK(names_of(QuantLinear<Moved, Everything>(weight.view())) == Names{"scale", "offset"});
  CHECK(names_of(QuantLinear<UInt<4>, QParamsOnly, Dense<float>>(weight.view())) ==
        Names{"scale", "zero_point"});
  CHECK(names_of(QuantLinear<UInt<4>, Everything>(weight.view())) == Names{"scale"});
}

TEST_CASE("Trainable sets: outputs do not depend on them, gradients of what stays neither",
          "[trainable]") {
  const Matrix weight = random_matrix(40, 70, 1.0f, 1), x = random_matrix(5, 70, 1.0f, 2);
  const Matrix gradient = random_matrix(5, 40, 1.0f, 3);
  const auto run = [&]<class Set>() {
    const QuantLinear<Int<4>, LowRank<2>, Set> layer(weight.view());
    return run_passes(layer, x, gradient);
  };
  const Passes both = run.template operator()<AdapterAndScale>();
  const Passes scale = run.template operator()<ScaleOnly>();
  const Passes adapter = run.template operator()<AdapterOnly>();
  for (const Passes* each : {&scale, &adapter}) {
    CHECK(bits_of(each->y.values) == bits_of(both.y.values));
    CHECK(bits_of(each->grad_x.values) == bits_of(both.grad_x.values));
  }
  CHECK(bits_of(scale.gradients[0]) == bits_of(both.gradients[2]));
  CHECK(bits_of(adapter.gradients[0]) == bits_of(both.gradients[0]));
  CHECK(bits_of(adapter.gradients[1]) == bits_of(both.gradients[1]));
}

}  // namespace
}  // namespace lrqat::test
