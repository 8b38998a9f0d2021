// SPDX-License-Identifier: MIT
// tests/optim/adamw.test.cpp
#include <lrqat/optim/adamw.hpp>

#include <lrqat/core/rng.hpp>
#include <lrqat/kernel/isa.hpp>

#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <vector>

using lrqat::AdamW;
using lrqat::AdamWOptions;
using lrqat::Role;

namespace {

struct Tensor {
  std::vector<float> value, gradient;
  explicit Tensor(std::vector<float> start) : value(start), gradient(start.size()) {}
  lrqat::Parameter<float> named(std::string name, Role role = Role::weight) {
    return {std::move(name), role, value, gradient};
  }
};

/// AdamW of one number in double, from the formulas of the paper (algorithm 2) and not from the
/// order of operations of the code under test.
struct Oracle {
  double p, lr, decay, beta1, beta2, epsilon;
  double m = 0, v = 0;
  int t = 0;
  void step(double g, double eta) {
    ++t;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const double m_hat = m / (1 - std::pow(beta1, t)), v_hat = v / (1 - std::pow(beta2, t));
    p = p - eta * lr * decay * p - eta * lr * m_hat / (std::sqrt(v_hat) + epsilon);
  }
};

}  // namespace

TEST_CASE("AdamW: the first step moves by the learning rate against the gradient's sign",
          "[optim]") {
  Tensor w({1, 2, 3, 4});
  AdamW adam({w.named("w")}, {.learning_rate = 0.125});
  w.gradient = {5, -1e-3f, 1e4f, 0};
  adam.step();
  // m_hat = g and v_hat = g^2 up to 4 roundings of 2^-24; epsilon shifts by 1e-8 / |g|.
  CHECK(w.value[0] == Approx(0.875).epsilon(4e-7));
  CHECK(w.value[1] == Approx(2 + 0.125 * 1e-3 / (1e-3 + 1e-8)).epsilon(4e-7));
  CHECK(w.value[2] == Approx(2.875).epsilon(4e-7));
  CHECK(w.value[3] == 4);
  CHECK(adam.steps() == 1);
}

TEST_CASE("AdamW: a constant gradient moves by the learning rate at every step", "[optim]") {
  Tensor w({0});
  AdamW adam({w.named("w")}, {.learning_rate = 0.01});
  for (int t = 1; t <= 50; ++t) {
    w.gradient = {-2};
    adam.step();
    // Running means and sums of t terms: t roundings of 2^-24 in m, v and p.
    CHECK(w.value[0] == Approx(0.01 * t).epsilon(3 * t * 0x1p-24 + 1e-7));
  }
}

TEST_CASE("AdamW: three steps worked out by hand", "[optim]") {
  // beta1 = 1/2, beta2 = 3/4, lr = 1, g = 1, -1, 2:  m = 1/2, -1/4, 7/8;  v = 1/4, 7/16, 85/64.
  // m_hat = 1, -1/3, 1;  v_hat = 1, 1, 85/37.
  Tensor w({0});
  AdamW adam({w.named("w")}, {.learning_rate = 1, .beta1 = 0.5, .beta2 = 0.75, .epsilon = 1e-30});
  const std::array<float, 3> gradients{1, -1, 2};
  const std::array<double, 3> expected{-1, -1 + 1.0 / 3, -1 + 1.0 / 3 - std::sqrt(37.0 / 85)};
  const std::array<float, 3> m{0.5f, -0.25f, 0.875f}, v{0.25f, 0.4375f, 1.328125f};
  for (std::size_t t = 0; t < 3; ++t) {
    w.gradient[0] = gradients[t];
    adam.step();
    CHECK(w.value[0] == Approx(expected[t]).epsilon(4e-7));
    CHECK(adam.moments(0).first[0] == m[t]);  // dyadic: exact
    CHECK(adam.moments(0).second[0] == v[t]);
  }
}

TEST_CASE("AdamW: follows a double-precision oracle, with decay, schedule and groups", "[optim]") {
  const lrqat::CounterRng rng(11, 0);
  const std::size_t n = 37;
  Tensor a{std::vector<float>(n)}, s{std::vector<float>(3)};
  for (std::size_t i = 0; i < n; ++i) a.value[i] = rng.normal(i);
  for (std::size_t i = 0; i < 3; ++i) s.value[i] = 0.01f + rng.uniform(1000 + i);
  const AdamWOptions options{.learning_rate = 0.5,
                             .rules = {{Role::scale, 1e-3, 0.1}, {Role::adapter, 3e-2, 0.01}}};
  AdamW adam({a.named("A", Role::adapter), s.named("scale", Role::scale)}, options);
  std::vector<Oracle> oracle;
  for (float p : a.value) oracle.push_back({p, 3e-2, 0.01, 0.9, 0.95, 1e-8});
  for (float p : s.value) oracle.push_back({p, 1e-3, 0.1, 0.9, 0.95, 1e-8});
  const int steps = 100;
  for (int t = 0; t < steps; ++t) {
    const double factor = 1.0 - t / 100.0;
    for (std::size_t i = 0; i < n + 3; ++i) {
      const float g =
          rng.normal(5000 + static_cast<std::uint64_t>(t) * 100 + i) * (i % 2 ? 1e-4f : 3.f);
      (i < n ? a.gradient[i] : s.gradient[i - n]) = g;
      oracle[i].step(static_cast<double>(g), factor);
    }
    adam.step(factor);
  }
  // A step is at most 3 lr long here and is off by some 8 roundings of 2^-24 of the means that
  // make it; each step also rounds p (|p| < 8) once or twice.
  for (std::size_t i = 0; i < n; ++i)
    CHECK(std::abs(static_cast<double>(a.value[i]) - oracle[i].p) <
          steps * 0x1p-24 * (8 * 0.09 + 4));
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(std::abs(static_cast<double>(s.value[i]) - oracle[n + i].p) < steps * 0x1p-24 * 2);
}

TEST_CASE("AdamW: the same bits on every instruction set", "[optim]") {
  const lrqat::CounterRng rng(13, 0);
  std::vector<std::vector<float>> outcomes;
  for (const lrqat::kernel::Isa isa : lrqat::kernel::all_isas) {
    if (!lrqat::kernel::machine_has(isa)) continue;
    lrqat::kernel::set_active_isa(isa);
    Tensor a{std::vector<float>(1009)}, b{std::vector<float>(5)};
    for (std::size_t i = 0; i < a.value.size(); ++i) a.value[i] = rng.normal(i);
    AdamW adam({a.named("a"), b.named("b")}, {.learning_rate = 0.01, .weight_decay = 0.1});
    for (std::uint64_t t = 1; t <= 10; ++t) {
      for (std::size_t i = 0; i < a.gradient.size(); ++i) a.gradient[i] = rng.normal(t * 10000 + i);
      for (std::size_t i = 0; i < b.gradient.size(); ++i) b.gradient[i] = rng.normal(t * 5 + i);
      adam.step();
    }
    outcomes.push_back(a.value);
    outcomes.back().insert(outcomes.back().end(), b.value.begin(), b.value.end());
  }
  for (const std::vector<float>& outcome : outcomes) CHECK(outcome == outcomes.front());
  lrqat::kernel::set_active_isa(lrqat::kernel::widest_isa());
}

TEST_CASE("AdamW: decay is decoupled, and none where the rate is 0", "[optim]") {
  Tensor w({8}), frozen({8});
  AdamW adam({w.named("w"), frozen.named("f", Role::bias)},
             {.learning_rate = 0.25, .weight_decay = 0.5, .rules = {{Role::bias, 0, 0.5}}});
  adam.step();
  CHECK(w.value[0] == 7);  // 8 (1 - 1/8), gradient 0
  CHECK(frozen.value[0] == 8);
  adam.step(0.0);
  CHECK(w.value[0] == 7);
}

TEST_CASE("AdamW: an element's update does not depend on its neighbours or its place", "[optim]") {
  const lrqat::CounterRng rng(12, 0);
  const std::size_t n = 101;
  Tensor whole(std::vector<float>(n, 0.5f));
  std::vector<Tensor> single(n, Tensor({0.5f}));
  lrqat::Parameters<float> parts;
  for (std::size_t i = 0; i < n; ++i) parts.push_back(single[i].named(std::to_string(i)));
  AdamW one({whole.named("w")}, {.weight_decay = 0.1}), many(parts, {.weight_decay = 0.1});
  for (std::uint64_t t = 0; t < 20; ++t) {
    for (std::size_t i = 0; i < n; ++i)
      whole.gradient[i] = single[i].gradient[0] = rng.normal(t * n + i);
    one.step();
    many.step();
  }
  for (std::size_t i = 0; i < n; ++i) CHECK(whole.value[i] == single[i].value[0]);
}

TEST_CASE("AdamW: restored moments and step count continue the same sequence", "[optim]") {
  Tensor a({1, 2, 3}), b({1, 2, 3});
  AdamW first({a.named("w")}), second({b.named("w")});
  for (int t = 0; t < 5; ++t) {
    a.gradient = {0.1f, -0.2f, 0.3f * static_cast<float>(t)};
    first.step();
  }
  b.value = a.value;
  for (std::size_t i = 0; i < 3; ++i) {
    second.moments(0).first[i] = first.moments(0).first[i];
    second.moments(0).second[i] = first.moments(0).second[i];
  }
  second.set_steps(first.steps());
  a.gradient = b.gradient = {1, 2, 3};
  first.step();
  second.step();
  CHECK(a.value == b.value);
  CHECK(second.moments(0).name == "w");
}

TEST_CASE("AdamW: zero_gradients clears every gradient", "[optim]") {
  Tensor a({1, 2}), b({3});
  AdamW adam({a.named("a"), b.named("b")});
  a.gradient = {1, 2};
  b.gradient = {3};
  adam.zero_gradients();
  CHECK(a.gradient == std::vector<float>{0, 0});
  CHECK(b.gradient == std::vector<float>{0});
}

TEST_CASE("AdamW: a factor is part of its parameter's learning rate", "[optim]") {
  Tensor a({1, 2}), b({1, 2}), alone({1, 2});
  AdamW adam({a.named("a"), b.named("b")},
             {.learning_rate = 0.125, .weight_decay = 0.5, .factors = {1, 0.25}});
  AdamW other({alone.named("b")}, {.learning_rate = 0.03125, .weight_decay = 0.5});
  for (int step = 0; step < 3; ++step) {
    a.gradient = b.gradient = alone.gradient = {3, -2};
    adam.step();
    other.step();
  }
  CHECK(b.value == alone.value);
  CHECK(a.value != b.value);
}

TEST_CASE("AdamW: wrong settings are errors with their numbers", "[optim]") {
  Tensor w({1, 2});
  const auto make = [&](AdamWOptions options) { return AdamW({w.named("w")}, options); };
  CHECK_THROWS_WITH(make({.beta2 = 1.0}), Catch::Contains("betas 0.9 and 1"));
  CHECK_THROWS_AS(make({.learning_rate = -1}), lrqat::Error);
  CHECK_THROWS_AS(make({.learning_rate = std::nan("")}), lrqat::Error);
  CHECK_THROWS_AS(make({.epsilon = 0}), lrqat::Error);
  CHECK_THROWS_WITH(make({.rules = {{Role::scale, 1, 0}, {Role::scale, 2, 0}}}),
                    Catch::Contains("rules 0 and 1"));
  CHECK_THROWS_WITH(make({.factors = {1, 1}}), Catch::Contains("2 factors of 1 parameters"));
  CHECK_THROWS_WITH(make({.factors = {-1}}), Catch::Contains("the factor of 'w' is -1"));
  CHECK_THROWS_WITH(AdamW({w.named("w"), w.named("w")}), Catch::Contains("'w'"));
  lrqat::Parameter<float> torn = w.named("torn");
  torn.gradient = torn.gradient.first(1);
  CHECK_THROWS_WITH(AdamW({torn}), Catch::Contains("'torn' has 2 values and 1 gradients"));
  AdamW adam({w.named("w")});
  CHECK_THROWS_AS(adam.step(-1), lrqat::Error);
  CHECK_THROWS_AS(adam.step(std::nan("")), lrqat::Error);
}
