// SPDX-License-Identifier: MIT
// tests/initializer/salient_set.test.cpp: sets of weights, and which are chosen into them.
#include <lrqat/initializer/salient_set.hpp>

#include <lrqat/grid/uint.hpp>
#include <lrqat/salient/salient.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace lrqat::test {
namespace {

using Catch::Matchers::Contains;

TEST_CASE("WeightSet: its tiles hold what the whole holds", "[initializer]") {
  const Shape shape{7, 23};
  const CounterRng random(3, 0);
  const auto holds = [&](std::size_t i, std::size_t j) {
    return i != 2 && random.below(3, i * shape.cols + j) == 0;
  };
  const WeightSet set(shape, holds);
  CHECK(set.row(2).empty());
  for (const Tile& tile :
       {Tile{0, 0, 7, 23}, Tile{2, 5, 1, 9}, Tile{3, 22, 4, 1}, Tile{6, 0, 1, 1}}) {
    std::vector<std::size_t> wanted, found;
    for (std::size_t i = tile.row; i < tile.row + tile.rows; ++i)
      for (std::size_t j = tile.col; j < tile.col + tile.cols; ++j)
        if (holds(i, j)) wanted.push_back(i * shape.cols + j);
    set.for_each_in(tile, [&](std::size_t i, std::size_t j, std::size_t n) {
      found.push_back(i * shape.cols + j);
      CHECK(set.row(i)[n - set.first(i)] == j);
      CHECK(set.contains(i, j));
    });
    CHECK(found == wanted);
  }
  CHECK(WeightSet(shape).size() == 0);
  CHECK_FALSE(WeightSet(shape).contains(6, 22));
}

TEST_CASE("salient_by_magnitude: as many as asked for, half from each end", "[initializer]") {
  const Matrix weight = random_matrix(9, 31, 0.3f, 1);
  for (const double fraction : {0.0, 0.004, 0.05, 0.1, 1.0 / 3, 0.9, 1.0}) {
    CAPTURE(fraction);
    const WeightSet set = salient_by_magnitude(weight.view(), fraction);
    const auto wanted = static_cast<std::size_t>(std::llround(fraction * 279));
    CHECK(set.size() == wanted);
    std::vector<float> sorted = weight.values;
    std::sort(sorted.begin(), sorted.end());
    for (std::size_t n = 0; n < sorted.size(); ++n) {
      const auto at = std::find(weight.values.begin(), weight.values.end(), sorted[n]);
      const auto place = static_cast<std::size_t>(at - weight.values.begin());
      CHECK(set.contains(place / 31, place % 31) ==
            (n < wanted / 2 || n >= 279 - (wanted - wanted / 2)));
    }
  }
}

TEST_CASE("salient_by_magnitude: equal weights are taken from the two ends of the matrix",
          "[initializer]") {
  const WeightSet set = salient_by_magnitude(Matrix(3, 4, 0.5f).view(), 5.0 / 12);
  REQUIRE(set.size() == 5);
  CHECK((set.contains(0, 0) && set.contains(0, 1)));
  CHECK((set.contains(2, 1) && set.contains(2, 2) && set.contains(2, 3)));
}

TEST_CASE("salient_by_magnitude: one clear error for each thing that does not fit",
          "[initializer]") {
  Matrix weight = random_matrix(3, 8, 0.1f, 5);
  CHECK_THROWS_WITH(salient_by_magnitude(weight.view(), 1.5), Contains("a fraction of 1.5"));
  CHECK_THROWS_WITH(salient_by_magnitude(weight.view(), std::nan("")), Contains("outside 0 .. 1"));
  CHECK_THROWS_WITH(salient_by_magnitude(Matrix(0, 8).view(), 0.1), Contains("is empty"));
  CHECK_THROWS_WITH(salient_scales<UInt<8>>(WeightSet({3, 7}), weight.view()),
                    Contains("a set of (3, 7) and a weight of (3, 8)"));
  weight(1, 2) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(salient_by_magnitude(weight.view(), 0.1), Contains("(1, 2) is not finite"));
}

template <class G>
void check_salient_state() {
  const Matrix weight = random_matrix(6, 40, 1.0f, 7);
  const WeightSet set(weight.view().shape(),
                      [](std::size_t i, std::size_t j) { return i != 4 && (i + j) % 3 == 0; });
  const std::vector<QParams> rows = salient_scales<G>(set, weight.view());
  typename Salient<G>::state kept(weight.view().shape());
  CHECK(kept.set().size() == 0);
  kept.keep(set, weight.view(), rows);
  Matrix w(6, 40, -7.0f), g(6, 40, 5.0f);
  kept.put_back({0, 0, 6, 40}, w.view());
  kept.take_out({0, 0, 6, 40}, g.view());
  for (std::size_t i = 0; i < 6; ++i)
    for (std::size_t j = 0; j < 40; ++j) {
      CHECK(g(i, j) == (set.contains(i, j) ? 0.0f : 5.0f));
      if (set.contains(i, j))
        CHECK(std::fabs(w(i, j) - weight(i, j)) <= 0.5001f * rows[i].scale);
      else
        CHECK(w(i, j) == -7.0f);
    }
  const auto values = weight.view().row(1).subspan(5, 30);
  std::vector<float> others;
  for (std::size_t j = 5; j < 35; ++j)
    if (!set.contains(1, j)) others.push_back(weight(1, j));
  CHECK(copy_of(kept.rest(1, 5, values)) == others);
  CHECK(kept.rest(4, 0, weight.view().row(4)).size() == 40);
  CHECK(kept.bytes() > set.size() * 5);

  CHECK_THROWS_WITH(kept.keep(WeightSet({6, 41}), weight.view(), rows),
                    Contains("a set of (6, 41)"));
  Matrix broken = weight;
  broken(1, 2) = HUGE_VALF;
  CHECK_THROWS_WITH(kept.keep(set, broken.view(), rows), Contains("weight (1, 2)"));
  const QParams good = rows[2];
  const auto refused = [&](QParams row) {
    std::vector<QParams> all = rows;
    all[2] = row;
    CHECK_THROWS_WITH(kept.keep(set, weight.view(), all), Contains("row 2 has scale"));
  };
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {nan, HUGE_VALF, 0.0f, -good.scale})
    refused({bad, good.zero_point, good.offset});
  for (const float bad : {nan, -HUGE_VALF}) {
    refused({good.scale, bad, good.offset});
    refused({good.scale, good.zero_point, bad});
  }
  refused({good.scale, good.zero_point, good.offset, HUGE_VALF});
  std::vector<QParams> unused = rows;
  unused[4].scale = nan;  // no weight of that row is salient
  kept.keep(set, weight.view(), unused);
}

TEST_CASE("Salient: weights come back within half a step, the others are left alone",
          "[initializer]") {
  check_salient_state<SymmetricInt<8>>();
  check_salient_state<UInt<8>>();
}

TEST_CASE("partial_bits: places cost a bit each, or less where few are salient", "[initializer]") {
  const Shape shape{100, 1000};
  CHECK(partial_bits(shape, 10000, 1, 8) == 90000 + 80000 + 100000);
  CHECK(partial_bits(shape, 1000, 1, 8) == 99000 + 8000 + 16000 + 1600);
  CHECK(partial_bits(shape, 0, 2, 8) == 200000 + 1600);
}

}  // namespace
}  // namespace lrqat::test
