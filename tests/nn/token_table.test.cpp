// SPDX-License-Identifier: MIT
// tests/nn/token_table.test.cpp: a table in bfloat16 gives the bits of one in T with its numbers.
#include <lrqat/nn/token_table.hpp>

#include <lrqat/core/rng.hpp>

#include <catch2/catch.hpp>

#include <vector>

using Catch::Contains;
using lrqat::AlignedVector;
using lrqat::bf16;
using lrqat::MatrixView;
using lrqat::Shape;
using lrqat::TokenTable;

namespace {

template <class T>
AlignedVector<T> random_numbers(std::size_t count, std::uint64_t stream) {
  const lrqat::CounterRng random(7, stream);
  AlignedVector<T> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<T>(random.uniform(i) - 0.5f);
  return values;
}

template <class T>
void check_bf16_like_its_numbers(Shape shape, std::size_t tokens) {
  const auto numbers = random_numbers<float>(shape.size(), 1);
  AlignedVector<bf16> rounded(numbers.size());
  AlignedVector<T> same(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    rounded[i] = bf16(numbers[i]);
    same[i] = static_cast<T>(static_cast<float>(rounded[i]));
  }
  TokenTable<T> half(shape, std::move(rounded)), whole(shape, std::move(same));
  CHECK(half.is_bf16());
  CHECK(half.values().empty());
  CHECK(half.bytes() == 2 * shape.size());
  CHECK(whole.bytes() == sizeof(T) * shape.size());

  std::vector<std::uint16_t> ids(tokens);
  const lrqat::CounterRng random(7, 2);
  for (std::size_t t = 0; t < tokens; ++t)
    ids[t] = static_cast<std::uint16_t>(random.below(static_cast<std::uint32_t>(shape.rows), t));
  const auto with_both = [&](std::size_t rows, std::size_t cols, const auto& write) {
    AlignedVector<T> got(rows * cols, T(3)), wanted(rows * cols, T(5));
    write(half, MatrixView<T>(got.data(), rows, cols));
    write(whole, MatrixView<T>(wanted.data(), rows, cols));
    CHECK(got == wanted);
  };
  auto x = random_numbers<T>(tokens * shape.cols, 3);
  auto grad = random_numbers<T>(tokens * shape.rows, 4);
  const MatrixView<T> x_view(x.data(), tokens, shape.cols);
  const MatrixView<T> grad_view(grad.data(), tokens, shape.rows);
  with_both(tokens, shape.cols, [&](auto& table, MatrixView<T> y) { table.look_up(ids, y); });
  with_both(tokens, shape.rows, [&](auto& table, MatrixView<T> y) { table.project(x_view, y); });
  with_both(tokens, shape.cols,
            [&](auto& table, MatrixView<T> y) { table.project_backward(x_view, grad_view, y); });
}

}  // namespace

TEST_CASE("TokenTable: bfloat16 gives the bits of its numbers in float and double", "[nn]") {
  for (const std::size_t tokens : {1u, 8u, 70u}) {
    check_bf16_like_its_numbers<float>({19, 12}, tokens);
    check_bf16_like_its_numbers<double>({19, 12}, tokens);
  }
  check_bf16_like_its_numbers<float>({300, 8192}, 9);  // three pieces
}

TEST_CASE("TokenTable: only a table in T is trained", "[nn]") {
  const Shape shape{5, 4};
  TokenTable<float> table(shape, random_numbers<float>(20, 1));
  CHECK(table.parameter("table").empty());
  table.train(true);
  REQUIRE(table.parameter("table").size() == 1);
  CHECK(table.parameter("table")[0].gradient.size() == 20);
  CHECK(table.bytes() == 2 * 20 * sizeof(float));
  table.train(false);
  CHECK(table.parameter("table").empty());

  TokenTable<float> rounded(shape, AlignedVector<bf16>(20));
  rounded.train(false);
  CHECK_THROWS_WITH(rounded.train(true), Contains("stays frozen"));
}

TEST_CASE("TokenTable: sizes and tokens are checked", "[nn]") {
  CHECK_THROWS_WITH(TokenTable<float>({3, 4}, AlignedVector<bf16>(11)),
                    Contains("11 numbers for (3, 4)"));
  CHECK_THROWS_WITH(TokenTable<float>({3, 4}, AlignedVector<float>(13)), Contains("13 numbers"));
  const TokenTable<float> table({3, 4}, AlignedVector<bf16>(12));
  std::vector<float> y(4);
  const std::vector<std::uint16_t> outside{3};
  CHECK_THROWS_WITH(table.look_up(outside, {y.data(), 1, 4}), Contains("token 3"));
}
