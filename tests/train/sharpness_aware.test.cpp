// SPDX-License-Identifier: MIT
// tests/train/sharpness_aware.test.cpp: two passes against the same two made by hand.
#include <lrqat/train/sharpness_aware.hpp>

#include "support/bigram_model.hpp"
#include "support/matrix.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace lrqat::test::sharpness {
namespace {

using Tokens = std::span<const std::uint16_t>;

/// A MicroStep that refers to its model.
auto step_of(BigramModel& model) {
  return [&model](Tokens inputs, Tokens targets, std::size_t batch, std::size_t length,
                  float scale) { return model(inputs, targets, batch, length, scale); };
}

void zero_gradients(BigramModel& model) {
  for (const Parameter<float>& each : model.parameters())
    std::fill(each.gradient.begin(), each.gradient.end(), 0.0f);
}

/// 32 tokens of the stream, and those that follow.
struct Batch {
  std::vector<std::uint16_t> stream = bigram_stream(65);
  Tokens inputs(std::size_t part = 0) const { return Tokens(stream).subspan(part * 32, 32); }
  Tokens targets(std::size_t part = 0) const { return Tokens(stream).subspan(part * 32 + 1, 32); }
};

/// The gradient at w + rho g / |g|, g the gradient at w, step by step; also g.
struct TwoPasses {
  std::vector<float> here, uphill;
  double loss = 0, distance = 0;

  TwoPasses(const Batch& batch, std::size_t part, double rho, float scale) {
    BigramModel model;
    loss = model(batch.inputs(part), batch.targets(part), 2, 16, scale);
    here = model.gradients();
    const double factor = rho / gradient_norm(model.parameters());
    const std::vector<float> before = model.values();
    for (const Parameter<float>& each : model.parameters())
      for (std::size_t i = 0; i < each.value.size(); ++i)
        each.value[i] += static_cast<float>(factor * static_cast<double>(each.gradient[i]));
    const std::vector<float> after = model.values();
    for (std::size_t i = 0; i < before.size(); ++i)
      distance += std::pow(static_cast<double>(after[i]) - static_cast<double>(before[i]), 2);
    distance = std::sqrt(distance);
    zero_gradients(model);
    model(batch.inputs(part), batch.targets(part), 2, 16, scale);
    uphill = model.gradients();
  }
};

}  // namespace

TEST_CASE(
    "SharpnessAware: the gradient is that of two passes made by hand; parameters have their "
    "bits back",
    "[train]") {
  const Batch batch;
  const TwoPasses expected(batch, 0, 0.3, 1.0f);
  CHECK(expected.distance == Approx(0.3).epsilon(1e-5));  // roundings of values up to 0.5
  CHECK(expected.here != expected.uphill);
  for (const double weight : {0.0, 1.0, 0.5}) {
    BigramModel model;
    SharpnessAware step(step_of(model), model.parameters(), {.rho = 0.3, .task_weight = weight});
    const auto before = bits_of(model.values());
    CHECK(step(batch.inputs(), batch.targets(), 2, 16, 1.0f) == expected.loss);
    CHECK(bits_of(model.values()) == before);
    std::vector<float> sum = expected.uphill;
    for (std::size_t i = 0; i < sum.size(); ++i)
      sum[i] += static_cast<float>(weight) * expected.here[i];  // exact products
    CHECK(model.gradients() == sum);
  }
}

TEST_CASE("SharpnessAware: batches of a step add up, and each climbs for itself", "[train]") {
  const Batch batch;
  BigramModel model;
  SharpnessAware step(step_of(model), model.parameters(), {.rho = 0.3, .task_weight = 1});
  step(batch.inputs(0), batch.targets(0), 2, 16, 0.5f);
  step(batch.inputs(1), batch.targets(1), 2, 16, 0.5f);
  const TwoPasses first(batch, 0, 0.3, 0.5f), second(batch, 1, 0.3, 0.5f);
  std::vector<float> sum = first.uphill;
  for (std::size_t i = 0; i < sum.size(); ++i)
    sum[i] = second.uphill[i] + ((sum[i] + first.here[i]) + second.here[i]);
  CHECK(model.gradients() == sum);
}

TEST_CASE("SharpnessAware: the task's gradients can be seen and filtered, the way uphill cannot",
          "[train]") {
  const Batch batch;
  const TwoPasses expected(batch, 0, 0.3, 1.0f);
  BigramModel model;
  std::vector<float> seen;
  int settled = 0;
  SharpnessAwareOptions options{.rho = 0.3, .task_weight = 1};
  options.task_gradients = [&] {
    seen = model.gradients();
    zero_gradients(model);
  };
  options.after_step = [&] { ++settled; };
  SharpnessAware step(step_of(model), model.parameters(), options);
  step(batch.inputs(), batch.targets(), 2, 16, 1.0f);
  CHECK(seen == expected.here);
  CHECK(model.gradients() == expected.uphill);
  CHECK(settled == 2);  // uphill and back
}

TEST_CASE(
    "SharpnessAware: without a gradient nothing moves; errors leave the parameters as they were",
    "[train]") {
  const Batch batch;
  BigramModel model;
  int passes = 0;
  const auto failing = [&](Tokens, Tokens, std::size_t, std::size_t, float) -> double {
    if (++passes == 2) fail("the second pass");
    model.parameters()[0].gradient[3] += 1.0f;
    return 1.0;
  };
  const auto before = bits_of(model.values());
  SharpnessAware wrong(failing, model.parameters(), {.rho = 10});
  CHECK_THROWS_WITH(wrong(batch.inputs(), batch.targets(), 2, 16, 1.0f),
                    Catch::Contains("the second pass"));
  CHECK(bits_of(model.values()) == before);

  std::vector<std::uint32_t> at;
  const auto flat = [&](Tokens, Tokens, std::size_t, std::size_t, float) {
    at = bits_of(model.values());
    return 2.0;
  };
  SharpnessAware still(flat, model.parameters(), {.rho = 10});
  zero_gradients(model);
  CHECK(still(batch.inputs(), batch.targets(), 2, 16, 1.0f) == 2.0);
  CHECK(at == before);

  // A gradient whose factor is beyond float.
  const auto tiny = [&](Tokens, Tokens, std::size_t, std::size_t, float) {
    at = bits_of(model.values());
    model.parameters()[1].gradient[5] = std::numeric_limits<float>::denorm_min();
    return 1.0;
  };
  SharpnessAware small(tiny, model.parameters(), {.rho = 0.5});
  small(batch.inputs(), batch.targets(), 2, 16, 1.0f);
  const float moved = std::bit_cast<float>(at[at.size() - BigramModel::vocabulary + 5]);
  CHECK(moved == 0.5f);  // of a bias that was 0
  CHECK(bits_of(model.values()) == before);

  const auto broken = [&](Tokens, Tokens, std::size_t, std::size_t, float) {
    model.parameters()[1].gradient[5] = std::numeric_limits<float>::quiet_NaN();
    return 1.0;
  };
  SharpnessAware nan(broken, model.parameters());
  CHECK_THROWS_WITH(nan(batch.inputs(), batch.targets(), 2, 16, 1.0f),
                    Catch::Contains("'bias'") && Catch::Contains("element 5"));
  CHECK(bits_of(model.values()) == before);
  CHECK_THROWS_WITH(SharpnessAware(flat, model.parameters(), {.rho = -1}),
                    Catch::Contains("rho is -1"));
}

}  // namespace lrqat::test::sharpness
