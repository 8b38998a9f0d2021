// SPDX-License-Identifier: MIT
// tests/nn/token_importance.test.cpp: importance by explicit softmax, and who is least important.
#include <lrqat/nn/token_importance.hpp>

#include <catch2/catch.hpp>
#include <support/finite_difference.hpp>
#include <support/machine.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace lrqat::test::importance {
namespace {

using Marks = std::vector<std::uint8_t>;

Marks marked(const std::vector<double>& importance, std::size_t sequences, double share) {
  Marks marks(importance.size(), 9);
  mark_least_important(importance, sequences, share, marks);
  return marks;
}

constexpr AttentionShape shape{2, 70, 70, 4, 2, 6};

struct Heads {
  Tensor<float> query{140, 24, 1, 1.0}, key{140, 12, 2, 1.0}, log_sum_exp{8, 70};
};

std::vector<double> importance_of(const Heads& heads) {
  std::vector<double> importance(140, -1.0);
  token_importance<float>(shape, heads.query.view(), heads.key.view(), heads.log_sum_exp.view(),
                          importance);
  return importance;
}

}  // namespace

TEST_CASE(
    "token_importance: what tokens give to the first one, with the same bits on every "
    "instruction set",
    "[nn]") {
  Heads heads;
  std::vector<double> defined(140);
  for (std::size_t t = 0; t < 140; ++t)
    for (std::size_t head = 0; head < 4; ++head) {
      std::vector<double> score(t % 70 + 1);
      double sum = 0;
      for (std::size_t k = 0; k < score.size(); ++k) {
        for (std::size_t d = 0; d < 6; ++d)
          score[k] += double{heads.query.view()(t, head * 6 + d)} *
                      double{heads.key.view()(t / 70 * 70 + k, head / 2 * 6 + d)};
        score[k] = std::exp(score[k] / std::sqrt(6.0));
        sum += score[k];
      }
      defined[t] += score[0] / sum;
      heads.log_sum_exp.view()(t / 70 * 4 + head, t % 70) = static_cast<float>(std::log(sum));
    }
  const std::vector<double> importance = importance_of(heads);
  // A log_sum_exp below 16 is rounded to 2^-21.
  for (std::size_t t = 0; t < 140; ++t) CHECK(importance[t] == Approx(defined[t]).epsilon(0x1p-20));
  const MachineSettings restored;
  for (const kernel::Isa isa : isas_of_machine()) {
    INFO(isa_name(isa));
    kernel::set_active_isa(isa);
    CHECK(importance_of(heads) == importance);
  }
}

TEST_CASE("token_importance: refuses other shapes", "[nn]") {
  Heads heads;
  std::vector<double> room(139);
  const auto run = [&] {
    const Heads& h = heads;
    token_importance<float>(shape, h.query.view(), h.key.view(), h.log_sum_exp.view(), room);
  };
  CHECK_THROWS_WITH(run(), Catch::Contains("room for 139 of 140 tokens"));
  heads.key = Tensor<float>(140, 6);
  CHECK_THROWS_WITH(run(), Catch::Contains("key is (140, 6), wanted is (140, 12)"));
}

TEST_CASE("mark_least_important: floor(share T) of each sequence, the least important", "[nn]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(marked({3, 1, 2, 5, 4}, 1, 0.5) == Marks{0, 1, 1, 0, 0});
  CHECK(marked({3, 1, 2, 5, 4, 9}, 2, 0.5) == Marks{0, 1, 0, 0, 1, 0});
  CHECK(marked({3, 1, 2}, 1, 0.0) == Marks{0, 0, 0});
  CHECK(marked({3, 1, 2}, 1, 1.0) == Marks{1, 1, 1});
  CHECK(marked({1, 1, 1, 1}, 1, 0.5) == Marks{1, 1, 0, 0});  // ties: the earlier
  CHECK(marked({nan, 1, 2, nan}, 1, 0.75) == Marks{1, 1, 1, 0});
  CHECK(marked({}, 0, 0.5).empty());
  for (std::size_t length = 1; length < 20; ++length)
    for (const double share : {0.1, 0.3, 0.5, 0.99}) {
      std::vector<double> importance;
      for (std::size_t t = 0; t < length; ++t)
        importance.push_back(CounterRng(length, 0).normal(t));
      const Marks marks = marked(importance, 1, share);
      const double count = std::floor(share * static_cast<double>(length));
      CHECK(static_cast<double>(std::count(marks.begin(), marks.end(), 1)) == count);
      double most = -1e9, least = 1e9;  // of the marked, of the others
      for (std::size_t t = 0; t < length; ++t)
        (marks[t] != 0 ? most : least) =
            marks[t] != 0 ? std::max(most, importance[t]) : std::min(least, importance[t]);
      CHECK(most < least);
    }
  Marks room(3);
  CHECK_THROWS_WITH(mark_least_important(std::vector<double>(3), 2, 0.5, room),
                    Catch::Contains("3 tokens in 2 sequences"));
  CHECK_THROWS_WITH(mark_least_important(std::vector<double>(3), 1, 1.5, room),
                    Catch::Contains("1.5"));
}

}  // namespace lrqat::test::importance
