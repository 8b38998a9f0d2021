// SPDX-License-Identifier: MIT
// nn/distillation.test.cpp: the divergence from a teacher, its gradient, and its limits.
#include <lrqat/nn/distillation.hpp>

#include <lrqat/core/expects.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/tiny_llama.hpp>

#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

using lrqat::test::Tensor;

namespace {

/// tau^2 sum p log(p / q), by the definition.
double divergence(const Tensor<float>& teacher, const Tensor<float>& student, std::size_t t,
                  double tau) {
  const auto log_softmax = [&](const Tensor<float>& logits, std::size_t i) {
    double sum = 0;
    for (const float logit : logits.view().row(t)) sum += std::exp(double{logit} / tau);
    return double{logits.view()(t, i)} / tau - std::log(sum);
  };
  double sum = 0;
  for (std::size_t i = 0; i < teacher.view().cols; ++i) {
    const double log_p = log_softmax(teacher, i);
    sum += std::exp(log_p) * (log_p - log_softmax(student, i));
  }
  return tau * tau * sum;
}

}  // namespace

TEST_CASE("distillation: float equals the definition in double", "[nn]") {
  for (const std::size_t vocab : {1u, 15u, 19u, 512u})
    for (const double tau : {0.5, 1.0, 2.0}) {
      const Tensor<float> teacher(67, vocab, 1, 4.0), student(67, vocab, 2, 4.0);
      Tensor<float> gradient = student;
      std::vector<double> losses(67);
      lrqat::distillation_with_gradient<float>(gradient.view(), teacher.view(), tau, 1.0, losses);
      for (std::size_t t = 0; t < 67; ++t) {
        const double exact = divergence(teacher, student, t, tau);
        // Differences of logits up to 64 are rounded to 2^-19, exponentials to 2^-22 relatively.
        CHECK(std::abs(losses[t] - exact) <= tau * tau * (0x1p-17 + 0x1p-20 * exact / tau / tau));
      }
    }
}

TEST_CASE("distillation: the gradient is that of the losses", "[nn]") {
  constexpr std::size_t tokens = 5, vocab = 21;
  const Tensor<double> teacher(tokens, vocab, 1, 2.0);
  Tensor<double> student(tokens, vocab, 2, 2.0);
  for (const double tau : {1.0, 3.0}) {
    std::vector<double> losses(tokens);
    Tensor<double> gradient = student;
    lrqat::distillation_with_gradient<double>(gradient.view(), teacher.view(), tau, 0.3, losses);
    const auto loss = [&] {
      Tensor<double> overwritten = student;
      lrqat::distillation_with_gradient<double>(overwritten.view(), teacher.view(), tau, 1, losses);
      return 0.3 * std::accumulate(losses.begin(), losses.end(), 0.0);
    };
    CHECK(lrqat::test::worst_gradient_error(loss, student.values, gradient.values, 5) <= 1);
  }
}

TEST_CASE("distillation: a student equal to its teacher loses nothing", "[nn]") {
  const Tensor<float> teacher(3, 33, 1, 5.0);
  Tensor<float> student = teacher;
  std::vector<double> losses(3, 1.0);
  lrqat::distillation_with_gradient<float>(student.view(), teacher.view(), 2.0, 1.0, losses);
  CHECK(losses == std::vector<double>(3, 0.0));
  for (const float gradient : student.values) CHECK(std::abs(gradient) <= 0x1p-23f);
}

TEST_CASE("distillation: huge logits, NaN and wrong shapes", "[nn]") {
  Tensor<float> student(1, 18, -1000.0f);
  Tensor<float> teacher(1, 18, -1000.0f);
  teacher.view()(0, 3) = 1000.0f;
  std::vector<double> losses(1);
  lrqat::distillation_with_gradient<float>(student.view(), teacher.view(), 1.0, 1.0, losses);
  CHECK(std::abs(losses[0] - std::log(18.0)) <= 1e-6);
  CHECK(std::abs(student.view()(0, 3) - (1.0f / 18 - 1)) <= 0x1p-23f);

  teacher.view()(0, 5) = std::numeric_limits<float>::quiet_NaN();
  lrqat::distillation_with_gradient<float>(student.view(), teacher.view(), 1.0, 1.0, losses);
  CHECK(std::isnan(losses[0]));

  Tensor<float> wider(1, 19, 0.0f);
  CHECK_THROWS_AS(
      lrqat::distillation_with_gradient<float>(wider.view(), teacher.view(), 1.0, 1.0, losses),
      lrqat::Error);
  CHECK_THROWS_AS(
      lrqat::distillation_with_gradient<float>(student.view(), teacher.view(), 0.0, 1.0, losses),
      lrqat::Error);
}
