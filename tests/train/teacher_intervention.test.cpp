// SPDX-License-Identifier: MIT
// tests/train/teacher_intervention.test.cpp: blocks that work on their teacher's signals.
#include <lrqat/train/teacher_intervention.hpp>

#include <lrqat/linear/dense_linear.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/tiny_llama.hpp>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace lrqat::test::intervention {
namespace {

using Model = Llama<DenseLinear<double>>;

constexpr std::uint64_t teacher_seed = 1;

/// The teacher's weights, but those of `other` from another draw.
Model model_with(const std::vector<LinearKind>& other, LlamaOptions options = {}) {
  LlamaWeights weights = random_llama(tiny_config(), teacher_seed);
  const LlamaWeights drawn = random_llama(tiny_config(), 2);
  for (std::size_t b = 0; b < weights.blocks.size(); ++b) {
    LlamaWeights::Block& block = weights.blocks[b];
    for (const LinearKind kind : other)
      (kind == LinearKind::query   ? block.query
       : kind == LinearKind::key   ? block.key
       : kind == LinearKind::value ? block.value
       : kind == LinearKind::gate  ? block.gate
       : kind == LinearKind::up    ? block.up
       : kind == LinearKind::down  ? block.down
                                   : block.output) = linear_weight(drawn.blocks[b], kind);
  }
  return Model(
      weights,
      [](MatrixView<const float> weight, const LinearName&) { return DenseLinear<double>(weight); },
      options);
}

const std::vector<LinearKind> query_and_key{LinearKind::query, LinearKind::key};
const std::vector<LinearKind> before_context{LinearKind::query, LinearKind::key, LinearKind::value};
const std::vector<LinearKind> attention{LinearKind::query, LinearKind::key, LinearKind::value,
                                        LinearKind::output};
const std::vector<LinearKind> everything(linear_kinds.begin(), linear_kinds.end());

/// A student, its teacher and one step of it.
struct Lesson {
  Model teacher = model_with({});
  Model student;
  std::vector<std::uint16_t> tokens = random_tokens(2 * 7, 19, 3);
  std::vector<double> gradients;

  explicit Lesson(const std::vector<LinearKind>& other = everything, LlamaOptions options = {})
      : student(model_with(other, options)) {}

  double operator()(Intervention when, InterventionLosses losses, float scale = 1.0f) {
    TeacherIntervention step(
        student, teacher, [=] { return when; }, losses);
    student.zero_gradients();
    const double loss = step(tokens, tokens, 2, 7, scale);
    gradients.clear();
    for (const Parameter<double>& each : student.parameters())
      gradients.insert(gradients.end(), each.gradient.begin(), each.gradient.end());
    return loss;
  }

  std::span<const double> gradient(const LinearName& which) {
    return student.linear(which).parameters()[0].gradient;
  }
  bool is_zero(LinearKind kind) {
    bool zero = true;
    for (std::size_t b = 0; b < 2; ++b)
      for (const double g : gradient({b, kind})) zero = zero && g == 0;
    return zero;
  }
};

/// Of a loss: behind it are two blocks of seven products of up to 20 terms; norms, softmax and its
/// own sums round no more often.
constexpr double roundings = 2 * (2 * 7 * 20);

constexpr InterventionLosses no_losses{.hidden = 0, .middle = 0, .scores = 0};
constexpr InterventionLosses no_scores{.hidden = 0.3, .middle = 0.7, .scores = 0};
constexpr InterventionLosses all_losses{.hidden = 0.3, .middle = 0.7, .scores = 0.2};

}  // namespace

TEST_CASE("gradual_intervention: a sixth, a third, the rest, then nothing", "[train]") {
  std::vector<Intervention> all;
  for (std::uint64_t step = 0; step < 14; ++step) all.push_back(gradual_intervention(step, 12));
  CHECK(std::count(all.begin(), all.begin() + 2, Intervention::output) == 2);
  CHECK(std::count(all.begin() + 2, all.begin() + 4, Intervention::context) == 2);
  CHECK(std::count(all.begin() + 4, all.begin() + 12, Intervention::map) == 8);
  CHECK(std::count(all.begin() + 12, all.end(), Intervention::none) == 2);
  CHECK(gradual_intervention(0, 1) == Intervention::output);
  CHECK(gradual_intervention(0, 0) == Intervention::none);
}

TEST_CASE("TeacherIntervention: the teacher's bits stand at the intervened point", "[train]") {
  // A student that differs upstream of it alone is its teacher there and behind.
  const std::vector<std::pair<Intervention, std::vector<LinearKind>>> cases{
      {Intervention::output, attention},
      {Intervention::context, before_context},
      {Intervention::map, query_and_key}};
  for (const auto& [when, upstream] : cases) {
    Lesson lesson(upstream);
    CHECK(lesson(when, no_scores) == 0.0);
    CHECK(lesson(Intervention::none, no_scores) > 0.0);
    CHECK(lesson(when, all_losses) > 0.0);  // its own scores are still compared
  }
}

TEST_CASE("TeacherIntervention: upstream of the intervened point gradients are zero", "[train]") {
  const auto zeros = [](Lesson& lesson) {
    std::vector<bool> zero;
    for (const LinearKind kind : attention) zero.push_back(lesson.is_zero(kind));
    return zero;
  };
  Lesson lesson;
  lesson(Intervention::output, no_scores);
  CHECK(zeros(lesson) == std::vector<bool>{true, true, true, true});
  CHECK_FALSE(lesson.is_zero(LinearKind::up));
  lesson(Intervention::context, no_scores);
  CHECK(zeros(lesson) == std::vector<bool>{true, true, true, false});
  lesson(Intervention::map, no_scores);
  CHECK(zeros(lesson) == std::vector<bool>{true, true, false, false});
  lesson(Intervention::none, no_scores);
  CHECK(zeros(lesson) == std::vector<bool>{false, false, false, false});
  // The scores teach query and key, and nobody below them.
  for (const Intervention when : {Intervention::output, Intervention::context, Intervention::map}) {
    lesson(when, no_scores);
    const std::vector<double> value = [&] {
      const auto g = lesson.gradient({0, LinearKind::value});
      return std::vector<double>(g.begin(), g.end());
    }();
    const auto down = lesson.gradient({0, LinearKind::down});
    const std::vector<double> below(down.begin(), down.end());
    lesson(when, all_losses);
    CHECK_FALSE(lesson.is_zero(LinearKind::query));
    CHECK_FALSE(lesson.is_zero(LinearKind::key));
    const auto again = lesson.gradient({0, LinearKind::value});
    CHECK(std::equal(again.begin(), again.end(), value.begin()));
    const auto below_again = lesson.gradient({0, LinearKind::down});
    CHECK(std::equal(below_again.begin(), below_again.end(), below.begin()));
  }
}

TEST_CASE("TeacherIntervention: gradients are those of finite differences", "[train]") {
  const auto worst = [](Lesson& lesson, Intervention when, InterventionLosses losses,
                        const LinearName& which, std::size_t stride) {
    lesson(when, losses);
    const auto g = lesson.gradient(which);
    const std::vector<double> gradient(g.begin(), g.end());
    const auto loss = [&] { return lesson(when, losses); };
    return worst_gradient_error(loss, lesson.student.linear(which).parameters()[0].value, gradient,
                                stride, roundings);
  };
  Lesson lesson;
  CHECK(worst(lesson, Intervention::none, all_losses, {0, LinearKind::query}, 29) <= 1);
  CHECK(worst(lesson, Intervention::none, all_losses, {0, LinearKind::down}, 47) <= 1);
  CHECK(worst(lesson, Intervention::none, no_losses, {0, LinearKind::key}, 29) <= 1);
  CHECK(worst(lesson, Intervention::output, no_scores, {0, LinearKind::up}, 47) <= 1);
  CHECK(worst(lesson, Intervention::context, no_scores, {0, LinearKind::output}, 29) <= 1);
  CHECK(worst(lesson, Intervention::map, no_scores, {0, LinearKind::value}, 29) <= 1);
  // Nothing is detached above the last block's scores.
  CHECK(worst(lesson, Intervention::map, all_losses, {1, LinearKind::query}, 29) <= 1);
  CHECK(worst(lesson, Intervention::output, all_losses, {1, LinearKind::key}, 29) <= 1);
}

TEST_CASE("TeacherIntervention: the same bits with recomputed blocks; gradients scale", "[train]") {
  LlamaOptions options;
  options.recompute = Recompute::per_block;
  Lesson kept, again(everything, options);
  for (const Intervention when :
       {Intervention::none, Intervention::map, Intervention::context, Intervention::output}) {
    const double loss = kept(when, all_losses);
    CHECK(again(when, all_losses) == loss);
    CHECK(again.gradients == kept.gradients);
    CHECK(again(when, all_losses, 0.5f) == loss);
    for (std::size_t i = 0; i < kept.gradients.size(); ++i)
      CHECK(again.gradients[i] == 0.5 * kept.gradients[i]);
  }
}

TEST_CASE("TeacherIntervention: refuses models that have a guide", "[train]") {
  BlockSignals<double> signals(2);
  Lesson lesson;
  {
    const Guided guided(lesson.student, signals);
    CHECK_THROWS_WITH(lesson(Intervention::none, all_losses),
                      Catch::Contains("TeacherIntervention: the student has a guide already"));
  }
  {
    const Guided guided(lesson.teacher, signals);
    CHECK_THROWS_WITH(lesson(Intervention::none, all_losses),
                      Catch::Contains("has a guide already"));
    CHECK(lesson.teacher.set_guide(&signals) == &signals);  // still there
  }
  CHECK(lesson(Intervention::none, all_losses) > 0.0);
}

TEST_CASE("TeacherIntervention: refuses a teacher of another shape; a guided model has no cache",
          "[train]") {
  Model student = model_with({});
  LlamaConfig config = tiny_config();
  config.layers = 1;
  Model teacher(random_llama(config, 1), [](MatrixView<const float> weight, const LinearName&) {
    return DenseLinear<double>(weight);
  });
  const auto never = [] { return Intervention::none; };
  CHECK_THROWS_WITH(TeacherIntervention(student, teacher, never),
                    Catch::Contains("2 blocks") && Catch::Contains("the teacher 1"));
  CHECK_THROWS_WITH(TeacherIntervention(student, student, never, {.hidden = -1}),
                    Catch::Contains("weight of a loss is -1"));
  BlockSignals<double> signals(2);
  KvCache<double> cache(student.config());
  {
    const Guided guided(student, signals);
    CHECK_THROWS_WITH(student.step(1, cache), Catch::Contains("guided"));
  }
  CHECK(student.step(1, cache).size() == 19);
}

}  // namespace lrqat::test::intervention
