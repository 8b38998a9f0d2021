// SPDX-License-Identifier: MIT
// tests/adapter/full_rank.test.cpp: the base itself as the trained tensor, and no adapter at all.
#include <lrqat/adapter/full_rank.hpp>

#include <lrqat/adapter/full_rank_delta.hpp>
#include <lrqat/adapter/no_adapter.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <type_traits>

namespace lrqat::test {
namespace {

TEST_CASE("FullRank: holds the weight and adds its gradient tile by tile", "[adapter]") {
  constexpr std::size_t out = 3, in = 7;
  FullRank::state state({out, in}, {});
  const Matrix weight = random_matrix(out, in, 1.0f, 1), gradient = random_matrix(out, in, 1.0f, 2);
  for (std::size_t row = 0; row < out; ++row) state.set_base(row, weight.view().row(row));

  const auto all = state.parameters();
  REQUIRE(all.size() == 1);
  CHECK(all[0].name == "weight");
  CHECK(all[0].role == Role::weight);
  CHECK(copy_of(all[0].value) == weight.values);

  Matrix z(2, 4, 1.0f);
  state.add({1, 3, 2, 4}, z.view());
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 4; ++j) CHECK(z(i, j) == 1.0f + weight(1 + i, 3 + j));

  CHECK(state.shared_gradients() == 0);
  for (const Tile tile : {Tile{0, 0, 2, 3}, Tile{2, 0, 1, 3}, Tile{0, 3, 3, 4}})
    for (int twice = 0; twice < 2; ++twice) state.backward(tile, gradient.view().block(tile), {});
  state.reduce({});
  for (std::size_t i = 0; i < gradient.values.size(); ++i)
    CHECK(all[0].gradient[i] == 2.0f * gradient.values[i]);
}

TEST_CASE("FullRankDelta: starts at zero beside a base that it does not hold", "[adapter]") {
  FullRankDelta::state state({2, 3}, {});
  STATIC_REQUIRE_FALSE(FullRankDelta::keeps_base);
  const auto all = state.parameters();
  REQUIRE(all.size() == 1);
  CHECK(all[0].name == "delta");
  CHECK(all[0].role == Role::adapter);
  CHECK(copy_of(all[0].value) == std::vector<float>(6, 0.0f));
  all[0].value[4] = 2.5f;
  Matrix z(1, 2, 1.0f);
  state.add({1, 1, 1, 2}, z.view());
  CHECK(z.values == std::vector<float>{3.5f, 1.0f});
  state.backward({1, 1, 1, 2}, z.view(), {});
  CHECK(copy_of(all[0].gradient) == std::vector<float>{0.0f, 0.0f, 0.0f, 0.0f, 3.5f, 1.0f});
}

TEST_CASE("NoAdapter: takes no room, trains nothing, adds nothing", "[adapter]") {
  STATIC_REQUIRE(std::is_empty_v<NoAdapter::state>);
  NoAdapter::state state({2, 2}, {});
  CHECK(state.parameters().empty());
  CHECK(state.shared_gradients() == 0);
  Matrix z(2, 2, 5.0f);
  state.add({0, 0, 2, 2}, z.view());
  CHECK(z.values == std::vector<float>(4, 5.0f));
}

}  // namespace
}  // namespace lrqat::test
