// SPDX-License-Identifier: MIT
// tests/train/edge_qat.test.cpp: the losses of EdgeQAT against definitions and finite differences.
#include <lrqat/train/edge_qat.hpp>

#include <lrqat/linear/dense_linear.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/tiny_llama.hpp>

#include <cmath>
#include <vector>

namespace lrqat::test::edge {
namespace {

using Model = Llama<DenseLinear<double>>;

Model dense(std::uint64_t seed, LlamaOptions options = {}) {
  return Model(
      random_llama(tiny_config(), seed),
      [](MatrixView<const float> weight, const LinearName&) { return DenseLinear<double>(weight); },
      options);
}

constexpr std::size_t batch = 2, length = 7;

struct Lesson {
  Model teacher = dense(1), student;
  std::vector<std::uint16_t> tokens = random_tokens(batch * length, 19, 3);
  std::vector<std::uint16_t> targets = random_tokens(batch * length, 19, 4);
  std::vector<double> gradients;

  explicit Lesson(std::uint64_t seed = 2, LlamaOptions options = {})
      : student(dense(seed, options)) {}

  double operator()(EdgeQatOptions options, float scale = 1.0f) {
    EdgeQat step(student, teacher, options);
    student.zero_gradients();
    const double loss = step(tokens, targets, batch, length, scale);
    gradients.clear();
    for (const Parameter<double>& each : student.parameters())
      gradients.insert(gradients.end(), each.gradient.begin(), each.gradient.end());
    return loss;
  }
};

/// A pass is two blocks of seven products of up to 20 terms; norms, softmax and the sums of a loss
/// round no more often.
constexpr double roundings = 2 * (2 * 7 * 20);
/// Terms of a loss stay below 8, and both ways of computing them round so often.
constexpr double rounding = 2 * roundings * 8 * 0x1p-53;

constexpr EdgeQatOptions text_only{.text = 1, .tau = 1, .entropy = 0, .attention = 0};

/// Explicit maps and variances of a pass.
struct Definition : BlockGuide<double> {
  std::vector<double> maps;  // of every head, square by square
  double entropy = 0;
  void context(std::size_t, const BlockTape<double>& tape) override {
    const AttentionShape& shape = tape.shape;
    const std::size_t dim = shape.head_dim;
    for (std::size_t s = 0; s < shape.sequences; ++s)
      for (std::size_t head = 0; head < shape.heads; ++head)
        for (std::size_t q = 0; q < length; ++q) {
          std::vector<double> row(length);
          double sum = 0;
          for (std::size_t k = 0; k <= q; ++k) {
            double score = 0;
            for (std::size_t d = 0; d < dim; ++d)
              score += tape.query(s * length + q, head * dim + d) *
                       tape.key(s * length + k, head / shape.group() * dim + d);
            sum += row[k] = std::exp(score / std::sqrt(static_cast<double>(dim)));
          }
          for (const double power : row) maps.push_back(power / sum);
        }
    for (const MatrixView<const double> x :
         {MatrixView<const double>(tape.query), MatrixView<const double>(tape.key)})
      for (std::size_t t = 0; t < x.rows; ++t)
        for (std::size_t first = 0; first < x.cols; first += dim) {
          double mean = 0, squares = 0;
          for (std::size_t d = 0; d < dim; ++d) mean += x(t, first + d) / static_cast<double>(dim);
          for (std::size_t d = 0; d < dim; ++d) squares += std::pow(x(t, first + d) - mean, 2);
          entropy += std::log(1 + squares / static_cast<double>(dim - 1));
        }
  }
};

Definition defined(Model& model, const std::vector<std::uint16_t>& tokens) {
  Definition definition;
  const Guided guided(model, definition);
  model.hidden(tokens, batch, length);
  return definition;
}

}  // namespace

TEST_CASE("EdgeQat: each term is its definition", "[train]") {
  Lesson lesson;
  const double text = lesson(text_only);
  CHECK(text ==
        Approx(lesson.student.loss(lesson.tokens, lesson.targets, batch, length)).margin(rounding));
  const Definition own = defined(lesson.student, lesson.tokens);
  const Definition wanted = defined(lesson.teacher, lesson.tokens);

  EdgeQatOptions options = text_only;
  options.entropy = 0.5;
  CHECK(lesson(options) - text == Approx(-0.5 * std::log(own.entropy)).margin(rounding));

  options = text_only;
  options.attention = 2;
  constexpr std::size_t square = length * length;
  double cosines = 0;
  for (std::size_t first = 0; first < own.maps.size(); first += square) {
    double both = 0, a = 0, b = 0;
    for (std::size_t i = first; i < first + square; ++i) {
      both += own.maps[i] * wanted.maps[i];
      a += own.maps[i] * own.maps[i];
      b += wanted.maps[i] * wanted.maps[i];
    }
    cosines += both / std::sqrt(a * b);
  }
  CHECK(lesson(options) - text == Approx(-2 * std::log(cosines)).margin(rounding));

  options = text_only;
  options.text = 0.25;
  options.tau = 2;
  Lesson same(1);  // diverges nowhere from its teacher
  CHECK(same(options) == Approx(0.25 * same(text_only)).margin(rounding));
}

TEST_CASE("EdgeQat: maps like the teacher's lose least; the published sign is the other way",
          "[train]") {
  EdgeQatOptions options = text_only;
  options.attention = 1;
  Lesson same(1), other;
  const double maps = 2 * 2 * 4;  // blocks, sequences, heads
  CHECK(same(options) - same(text_only) == Approx(-std::log(maps)).margin(rounding));
  CHECK(other(options) - other(text_only) > -std::log(maps) + rounding);
  options.attention = -1;
  CHECK(other(options) - other(text_only) < std::log(maps) - rounding);
}

TEST_CASE("EdgeQat: gradients are those of finite differences", "[train]") {
  Lesson lesson;
  const auto worst = [&](EdgeQatOptions options, const LinearName& which) {
    lesson(options);
    const Parameter<double> weight = lesson.student.linear(which).parameters()[0];
    const std::vector<double> gradient(weight.gradient.begin(), weight.gradient.end());
    return worst_gradient_error([&] { return lesson(options); }, weight.value, gradient, 29,
                                roundings);
  };
  EdgeQatOptions entropy = text_only, attention = text_only;
  entropy.text = attention.text = 0;
  entropy.entropy = 30;
  attention.attention = 30;
  for (const EdgeQatOptions& options : {EdgeQatOptions{}, entropy, attention})
    for (const LinearName which : {LinearName{1, LinearKind::query}, LinearName{1, LinearKind::key},
                                   LinearName{0, LinearKind::key}, LinearName{0, LinearKind::down}})
      CHECK(worst(options, which) <= 1);
}

TEST_CASE("EdgeQat: the same bits with recomputed blocks; gradients scale; its guide is gone after",
          "[train]") {
  LlamaOptions recomputed;
  recomputed.recompute = Recompute::per_block;
  Lesson kept, again(2, recomputed);
  const double loss = kept({});
  CHECK(again({}) == loss);
  CHECK(again.gradients == kept.gradients);
  CHECK(again({}, 0.5f) == loss);
  for (std::size_t i = 0; i < kept.gradients.size(); ++i)
    CHECK(again.gradients[i] == 0.5 * kept.gradients[i]);
  CHECK(kept.student.set_guide(nullptr) == nullptr);
}

TEST_CASE("EdgeQat: a guide that was there before is asked, and there again after", "[train]") {
  LlamaOptions recomputed;
  recomputed.recompute = Recompute::per_block;
  Lesson kept, again(2, recomputed);
  for (Lesson* lesson : {&kept, &again}) {
    Definition definition;
    lesson->student.set_guide(&definition);
    (*lesson)({});
    const std::size_t contexts = lesson == &kept ? 2 : 3;  // the last block is not computed again
    CHECK(definition.maps.size() == contexts * batch * 4 * length * length);
    CHECK(lesson->student.set_guide(nullptr) == &definition);
  }
}

TEST_CASE("EdgeQat: a half without weight is read by nobody; a guided teacher is refused",
          "[train]") {
  Lesson lesson;
  BlockSignals<double> signals(2);
  const Guided guided(lesson.teacher, signals);
  CHECK(std::isfinite(lesson(text_only)));  // without the teacher
  CHECK_THROWS_WITH(lesson({}), Catch::Contains("has a guide already"));
  CHECK(lesson.student.set_guide(nullptr) == nullptr);

  Lesson distilled;
  distilled.targets.assign(batch * length, 999);
  CHECK(std::isfinite(distilled({.text = 0})));
  CHECK_THROWS_WITH(distilled({}), Catch::Contains("target 999"));
}

TEST_CASE("EdgeQat: options out of range and other shapes are refused", "[train]") {
  Lesson lesson;
  CHECK_THROWS_WITH(lesson({.text = 1.5}), Catch::Contains("1.5"));
  CHECK_THROWS_WITH(lesson({.entropy = -1}), Catch::Contains("weights -1"));
  CHECK_THROWS_WITH(EdgeQat(lesson.student, lesson.teacher, {.tau = 0}),
                    Catch::Contains("EdgeQat: the temperature is 0"));
  const auto teacher_of = [](const LlamaConfig& config) {
    return Model(random_llama(config, 1), [](MatrixView<const float> weight, const LinearName&) {
      return DenseLinear<double>(weight);
    });
  };
  LlamaConfig deep = tiny_config(), whole = tiny_config(), wide = tiny_config();
  deep.layers = 3;
  whole.kv_heads = whole.heads;
  wide.head_dim = 6;
  Model deeper = teacher_of(deep), ungrouped = teacher_of(whole), wider = teacher_of(wide);
  CHECK_THROWS_WITH(EdgeQat(lesson.student, deeper), Catch::Contains("the teacher 3"));
  CHECK_THROWS_WITH(EdgeQat(lesson.student, ungrouped),
                    Catch::Contains("4 heads of 4 on 2") && Catch::Contains("4 of 4 on 4"));
  CHECK_THROWS_WITH(EdgeQat(lesson.student, wider), Catch::Contains("4 of 6 on 2"));
  lesson.targets.pop_back();
  CHECK_THROWS_WITH(lesson({}), Catch::Contains("EdgeQat: 14 inputs, 13 targets"));
}

}  // namespace lrqat::test::edge
