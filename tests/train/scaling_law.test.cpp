// SPDX-License-Identifier: MIT
// tests/train/scaling_law.test.cpp: the law's own properties, and planted laws found again.
#include <lrqat/train/fit_scaling_law.hpp>

#include "support/finite_difference.hpp"

#include <lrqat/core/rng.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace lrqat::test::scaling {
namespace {

using Catch::Contains;

const ScalingLaw planted{.a = 300,
                         .alpha = 0.31,
                         .b = 550,
                         .beta = 0.29,
                         .e = 1.8,
                         .k = 0.2,
                         .gamma_n = 0.25,
                         .gamma_d = 0.1,
                         .gamma_g = 0.6};

const std::vector<double> model_sizes{74e6, 145e6, 297e6, 595e6},
    token_counts{10e9, 20e9, 50e9, 100e9}, group_sizes{1, 32, 64, 128, 256};

/// The losses of a law over the grid, each wrong by `noise` times a normal number.
std::vector<ScalingRun> runs_of(const ScalingLaw& law, double noise = 0, std::uint64_t seed = 1) {
  const CounterRng random(seed, 0);
  std::vector<ScalingRun> runs;
  for (const double n : model_sizes)
    for (const double d : token_counts)
      for (const double g : group_sizes) {
        const double error = noise * static_cast<double>(random.normal(runs.size()));
        runs.push_back({n, d, g, law.loss(n, d, g) * (1 + error)});
      }
  return runs;
}

}  // namespace

TEST_CASE("ScalingLaw: groups of one weight cost nothing; the rest is the formula", "[train]") {
  CHECK(planted.quantization_error(1e8, 1e10, 1) == 0);
  CHECK(planted.loss(1e8, 1e10, 1) == planted.float_loss(1e8, 1e10));
  CHECK(planted.effective_parameter_multiplier(1e8, 1e10, 1) == 1);
  // 0.2 * 10^(10 * 0.1) * 7^0.6 / 10^(8 * 0.25)
  CHECK(planted.quantization_error(1e8, 1e10, 128) ==
        Approx(0.02 * std::pow(7, 0.6)).epsilon(1e-12));
  CHECK(planted.float_loss(1e8, 1e10) ==
        Approx(300 * std::pow(10, -2.48) + 550 * std::pow(10, -2.9) + 1.8).epsilon(1e-12));
}

TEST_CASE("ScalingLaw: error falls with parameters, rises with tokens and coarser groups",
          "[train]") {
  const std::vector<double> steps{1e3, 1e5, 3e7, 1e9, 7e10, 1e12};
  const std::vector<double> groups{1, 1.5, 2, 32, 128, 4096, 1e6};
  for (std::size_t i = 1; i < steps.size(); ++i)
    for (const double g : {2.0, 128.0}) {
      CHECK(planted.quantization_error(steps[i], 1e9, g) <
            planted.quantization_error(steps[i - 1], 1e9, g));
      CHECK(planted.quantization_error(1e8, steps[i], g) >
            planted.quantization_error(1e8, steps[i - 1], g));
      CHECK(planted.float_loss(steps[i], 1e9) < planted.float_loss(steps[i - 1], 1e9));
      CHECK(planted.float_loss(1e8, steps[i]) < planted.float_loss(1e8, steps[i - 1]));
    }
  for (std::size_t i = 1; i < groups.size(); ++i)
    CHECK(planted.quantization_error(1e8, 1e9, groups[i]) >
          planted.quantization_error(1e8, 1e9, groups[i - 1]));
}

TEST_CASE("ScalingLaw: a quantized model is worth a float one of eff N parameters", "[train]") {
  for (const double n : {1e5, 1e8, 1e11})
    for (const double g : {2.0, 128.0, 65536.0}) {
      const double eff = planted.effective_parameter_multiplier(n, 3e10, g);
      CHECK(eff > 0);
      CHECK(eff < 1);
      CHECK(planted.float_loss(eff * n, 3e10) == Approx(planted.loss(n, 3e10, g)).epsilon(1e-12));
    }
}

TEST_CASE("ScalingLaw: arguments without meaning are errors", "[train]") {
  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  for (const double bad : {0.0, -1.0, nan, inf}) {
    CHECK_THROWS_WITH(planted.loss(bad, 1e9, 32), Contains("parameters"));
    CHECK_THROWS_WITH(planted.float_loss(1e8, bad), Contains("tokens"));
    CHECK_THROWS_WITH(planted.quantization_error(1e8, 1e9, bad), Contains("group"));
  }
  CHECK_THROWS_WITH(planted.quantization_error(1e8, 1e9, 0.5), Contains("at least 1"));
  CHECK_THROWS_WITH(ScalingLaw{}.effective_parameter_multiplier(1e8, 1e9, 32), Contains("A = 0"));
}

TEST_CASE("coarsest_group_size: the largest whose error is in the budget", "[train]") {
  const auto coarsest = [](double budget) {
    return coarsest_group_size(planted, 1e8, 1e10, budget, std::vector<double>{64, 32, 256, 128});
  };
  const auto error = [](double g) { return planted.quantization_error(1e8, 1e10, g); };
  CHECK(coarsest(error(256)) == 256);
  CHECK(coarsest(std::nextafter(error(256), 0)) == 128);
  CHECK(coarsest(error(32)) == 32);
  CHECK_FALSE(coarsest(std::nextafter(error(32), 0)).has_value());
  CHECK(coarsest_group_size(planted, 1e8, 1e10, 0, std::vector<double>{1, 32}) == 1);
  CHECK_THROWS_WITH(coarsest(-1e-9), Contains("budget"));
  CHECK_THROWS_WITH(coarsest(std::nan("")), Contains("budget"));
  CHECK_THROWS_WITH(coarsest_group_size(planted, 1e8, 1e10, 1, {}), Contains("no group size"));
}

TEST_CASE("PowerSumError: its gradient is that of central differences", "[train]") {
  // Errors of up to a tenth: with width 0.03 both pieces of Huber's loss are there.
  const std::vector<double> losses{2.1, 2.6, 3.2, 2.4, 2.2};
  const std::vector<double> f{-1, 0.5, 1.2, 0.1, -0.8}, g{0.3, -1, 0.4, 0.9, -0.6};
  const detail::PowerSumError error({{{f, g}}, {{g}}, {}}, {0.1, 0.2, 0, 0.3, 0}, losses, 0.03);
  REQUIRE(error.unknowns() == 6);
  std::vector<double> x{-0.3, -1.2, -2, -0.5, -0.7, 0.4}, gradient(6), unused(6);
  error(x, gradient);
  const auto value = [&] { return error(x, unused); };
  CHECK(lrqat::test::worst_gradient_error(value, x, gradient) < 1);
  gradient[1] += 1e-3 * std::abs(gradient[1]) + 1e-4;
  CHECK(lrqat::test::worst_gradient_error(value, x, gradient) > 1);
}

TEST_CASE("Bfgs: the bottom of a bent valley, and of one with a corner", "[train]") {
  auto rosenbrock = [](std::span<const double> x, std::span<double> gradient) {
    const double u = 1 - x[0], v = x[1] - x[0] * x[0];
    gradient[0] = -2 * u - 400 * x[0] * v;
    gradient[1] = 200 * v;
    return u * u + 100 * v * v;
  };
  const detail::Minimum found = detail::Bfgs(rosenbrock, {-1.2, 1})(200, 1e-10);
  CHECK(found.x[0] == Approx(1).epsilon(1e-8));
  CHECK(found.x[1] == Approx(1).epsilon(1e-8));
  auto corner = [](std::span<const double> x, std::span<double> gradient) {
    gradient[0] = std::copysign(1.0, x[0]) + 0.2 * (x[0] - x[1]);
    gradient[1] = 2 * (x[1] - 1) - 0.2 * (x[0] - x[1]);
    const double apart = x[0] - x[1];
    return std::abs(x[0]) + (x[1] - 1) * (x[1] - 1) + 0.1 * apart * apart;
  };
  const detail::Minimum low = detail::Bfgs(corner, {3, -2})(200, 1e-10);
  CHECK(std::abs(low.x[0]) < 1e-6);
  CHECK(low.x[1] == Approx(1 / 1.1).margin(1e-5));
}

TEST_CASE("fit_scaling_law: a planted law comes back from its exact losses", "[train]") {
  const ScalingLaw laws[] = {planted,
                             {.a = 4e4,
                              .alpha = 0.7,
                              .b = 90,
                              .beta = 0.2,
                              .e = 0.4,
                              .k = 1e-5,
                              .gamma_n = 0.05,
                              .gamma_d = 0.4,
                              .gamma_g = 1.7}};
  for (const ScalingLaw& law : laws) {
    const std::vector<ScalingRun> runs = runs_of(law);
    const ScalingFit fit = fit_scaling_law(runs);
    CHECK(fit.residuals.size() == runs.size());
    CHECK(fit.max_error < 1e-11);
    CHECK(fit.mean_error <= fit.max_error);
    // Constants trade against each other: an error in a loss moves them some 1e4 times that.
    CHECK(fit.law.alpha == Approx(law.alpha).epsilon(1e-6));
    CHECK(fit.law.beta == Approx(law.beta).epsilon(1e-6));
    CHECK(fit.law.e == Approx(law.e).epsilon(1e-6));
    CHECK(std::log(fit.law.a) == Approx(std::log(law.a)).epsilon(1e-6));
    CHECK(std::log(fit.law.b) == Approx(std::log(law.b)).epsilon(1e-6));
    CHECK(fit.law.gamma_n == Approx(law.gamma_n).epsilon(1e-6));
    CHECK(fit.law.gamma_d == Approx(law.gamma_d).epsilon(1e-6));
    CHECK(fit.law.gamma_g == Approx(law.gamma_g).epsilon(1e-6));
    CHECK(std::log(fit.law.k) == Approx(std::log(law.k)).epsilon(1e-6));
  }
}

TEST_CASE("fit_scaling_law: noisy losses still predict, also beyond the runs", "[train]") {
  const double noise = 1e-3;
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    std::vector<ScalingRun> runs = runs_of(planted, noise, seed);
    const ScalingFit fit = fit_scaling_law(runs);
    CAPTURE(seed, fit.mean_error, fit.max_error);
    CHECK(fit.mean_error < 2 * noise);
    CHECK(fit.max_error < 5 * noise);
    for (const double g : group_sizes)  // the paper's own check: 973M parameters
      CHECK(fit.law.loss(973e6, 200e9, g) ==
            Approx(planted.loss(973e6, 200e9, g)).epsilon(5 * noise));
    CHECK(fit.law.quantization_error(297e6, 50e9, 128) ==
          Approx(planted.quantization_error(297e6, 50e9, 128)).epsilon(0.1));
    // One run in twenty went wrong: Huber's loss does not follow it.
    for (std::size_t i = 7; i < runs.size(); i += 20) runs[i].loss *= 1.3;
    const ScalingFit robust = fit_scaling_law(runs);
    CHECK(robust.law.loss(297e6, 50e9, 64) ==
          Approx(planted.loss(297e6, 50e9, 64)).epsilon(5 * noise));
  }
}

TEST_CASE("fit_scaling_law: without unquantized twins the error is counted from the law",
          "[train]") {
  std::vector<ScalingRun> runs;
  for (const ScalingRun& run : runs_of(planted)) {
    const bool is_quantized = run.group_size != 1;
    const double tokens = is_quantized ? 1.5 * run.tokens : run.tokens;
    runs.push_back({run.parameters, tokens, run.group_size,
                    planted.loss(run.parameters, tokens, run.group_size)});
  }
  const ScalingFit fit = fit_scaling_law(runs);
  CHECK(fit.max_error < 1e-7);
  CHECK(fit.law.gamma_d == Approx(planted.gamma_d).epsilon(1e-3));
}

TEST_CASE("fit_scaling_law: the same bits for the same runs in any order", "[train]") {
  std::vector<ScalingRun> runs = runs_of(planted, 2e-3);
  const ScalingFit first = fit_scaling_law(runs);
  std::reverse(runs.begin(), runs.end());
  const ScalingFit second = fit_scaling_law(runs);
  CHECK(first.law == second.law);
  CHECK(first.residuals.front() == second.residuals.back());
}

TEST_CASE("fit_scaling_law: an error that falls with tokens has gamma_d next to 0, never below",
          "[train]") {
  ScalingLaw odd = planted;
  odd.gamma_d = -0.1;
  odd.k = 20;
  const ScalingFit fit = fit_scaling_law(runs_of(odd));
  CHECK(fit.law.gamma_d >= 0);
  CHECK(fit.law.gamma_d < 1e-3);
  ScalingLaw harmless = planted;
  harmless.k = -1e-3;  // quantized runs a little better than the others
  const ScalingFit better = fit_scaling_law(runs_of(harmless));
  CHECK(better.law.quantization_error(1e8, 1e10, 128) < 1e-5);
  CHECK(better.law.quantization_error(1e8, 1e10, 128) >= 0);
}

TEST_CASE("fit_scaling_law: what cannot be fitted is an error that says what is missing",
          "[train]") {
  const std::vector<ScalingRun> good = runs_of(planted);
  const auto without = [&](const std::function<bool(const ScalingRun&)>& is_gone) {
    std::vector<ScalingRun> rest = good;
    std::erase_if(rest, is_gone);
    return rest;
  };
  const auto refused = [](const std::vector<ScalingRun>& runs, const std::string& mention) {
    CHECK_THROWS_WITH(fit_scaling_law(runs), Contains("fit_scaling_law: ") && Contains(mention));
  };
  refused({}, "0 different unquantized runs");
  refused(without([](const ScalingRun& r) { return r.group_size == 1; }), "unquantized runs");
  refused(without([](const ScalingRun& r) { return r.group_size != 1; }),
          "0 different quantized runs");
  refused(without([](const ScalingRun& r) { return r.parameters > 145e6; }), "2 different sizes N");
  refused(without([](const ScalingRun& r) { return r.parameters != 74e6; }), "at least 5");
  refused(without([](const ScalingRun& r) { return r.group_size == 1 && r.tokens > 20e9; }),
          "2 different token counts D");
  refused(without([](const ScalingRun& r) { return r.group_size != 1 && r.parameters > 74e6; }),
          "1 different sizes N of quantized runs");
  refused(without([](const ScalingRun& r) { return r.group_size != 1 && r.tokens > 10e9; }),
          "1 different token counts D of quantized runs");
  refused(without([](const ScalingRun& r) { return r.group_size > 32; }),
          "1 different group sizes");
  // Twenty tokens for a parameter, always: what made the loss fall?
  std::vector<ScalingRun> line;
  for (const double n : {1e6, 2e6, 4e6, 8e6, 16e6})
    for (const double g : {1.0, 32.0, 64.0})
      line.push_back({n, 20 * n, g, planted.loss(n, 20 * n, g)});
  refused(line, "change together");

  const double nan = std::nan(""), inf = std::numeric_limits<double>::infinity();
  for (const double bad : {0.0, -2.0, nan, inf}) {
    std::vector<ScalingRun> runs = good;
    runs[6].loss = bad;
    refused(runs, "the loss of run 7 of 80");
    runs = good;
    runs[0].parameters = bad;
    refused(runs, "the number of parameters of run 1 of 80");
    runs = good;
    runs[79].tokens = bad;
    refused(runs, "the number of tokens of run 80 of 80");
    runs = good;
    runs[1].group_size = bad;
    refused(runs, "the group size of run 2 of 80");
    CHECK_THROWS_WITH(fit_scaling_law(good, {.huber_width = bad}), Contains("huber_width"));
  }
}

}  // namespace lrqat::test::scaling
