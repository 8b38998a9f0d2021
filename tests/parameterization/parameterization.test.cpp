// SPDX-License-Identifier: MIT
// tests/parameterization/parameterization.test.cpp: tiles of any cut give the same weight.
#include <lrqat/parameterization/parameterization.hpp>

#include <lrqat/adapter/full_rank.hpp>
#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/adapter/no_adapter.hpp>
#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/granularity/per_channel.hpp>
#include <lrqat/granularity/per_group.hpp>
#include <lrqat/granularity/per_tensor.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/nested.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/grid/unrounded.hpp>
#include <lrqat/initializer/min_max.hpp>
#include <lrqat/placement/bounded_rounding.hpp>
#include <lrqat/placement/inside_rounding.hpp>
#include <lrqat/placement/parallel.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/scale_format/float32_scale.hpp>
#include <lrqat/storage/dense.hpp>
#include <lrqat/storage/fixed_point.hpp>
#include <lrqat/storage/packed.hpp>
#include <lrqat/trainable/trainable_set.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <optional>
#include <utility>

namespace lrqat::test {
namespace {

template <class G, class Gran, class S, class A, class P>
using Form = Parameterization<G, Gran, S, A, P, StraightThrough, AdapterAndScale, Float32Scale>;

/// Scales around 0.2, zero points 0 to 2 and a random adapter.
template <class G, class Gran, class S, class A, class P>
void make(const Matrix& weight, std::optional<Form<G, Gran, S, A, P>>& made) {
  std::vector<QParams> qparams;
  for (std::size_t cell = 0; cell < Gran::layout(weight.view().shape(), {}).size(); ++cell)
    qparams.push_back({0.2f + 0.01f * static_cast<float>(cell % 7), static_cast<float>(cell % 3)});
  auto& form = made.emplace(weight.view(), qparams, QuantOptions{});
  for (const Parameter<float>& each : form.parameters()) {
    if (each.role != Role::adapter) continue;
    const CounterRng random(5, each.name == "A" ? 0 : 1);
    for (std::size_t i = 0; i < each.value.size(); ++i) each.value[i] = random.normal(i);
  }
}

std::vector<Tile> cuts(std::size_t out, std::size_t in) {
  std::vector<Tile> tiles{{0, 0, out, in}, {out - 1, in - 1, 1, 1}, {0, in - 1, out, 1}};
  const CounterRng random(9, out * 1000 + in);
  for (std::uint64_t i = 0; i < 20; ++i) {
    const std::size_t row = random.below(static_cast<std::uint32_t>(out), 4 * i);
    const std::size_t col = random.below(static_cast<std::uint32_t>(in), 4 * i + 1);
    tiles.push_back({row, col, 1 + random.below(static_cast<std::uint32_t>(out - row), 4 * i + 2),
                     1 + random.below(static_cast<std::uint32_t>(in - col), 4 * i + 3)});
  }
  return tiles;
}

/// latent, levels and weight of every cut have the bits of the whole, on every instruction set.
template <class F>
void check_cuts(std::size_t out, std::size_t in) {
  INFO("weight (" << out << ", " << in << ")");
  const MachineSettings restored;
  std::optional<F> made;
  make(random_matrix(out, in, 0.7f, 1), made);
  const F& form = *made;
  const Tile all{0, 0, out, in};
  Matrix latent(out, in), levels(out, in), weight(out, in);
  kernel::set_active_isa(kernel::Isa::scalar);
  form.latent(all, latent.view());
  if constexpr (F::has_levels) form.levels(all, levels.view());
  form.weight(all, weight.view());
  for (const kernel::Isa isa : isas_of_machine()) {
    kernel::set_active_isa(isa);
    for (const Tile& cut : cuts(out, in)) {
      INFO(isa_name(isa) << ", rows " << cut.row << " + " << cut.rows << ", columns " << cut.col
                         << " + " << cut.cols);
      // Tiles live in wider buffers; what lies beside them is nobody's.
      constexpr float untouched = -123.0f;
      Matrix buffer(cut.rows, cut.cols + 3, untouched);
      const MatrixView<float> tile(buffer.values.data(), cut.rows, cut.cols, cut.cols + 3);
      const auto differences = [&](const Matrix& whole) {
        int count = 0;
        for (std::size_t i = 0; i < cut.rows; ++i) {
          for (std::size_t j = 0; j < cut.cols; ++j)
            count += std::bit_cast<std::uint32_t>(tile(i, j)) !=
                     std::bit_cast<std::uint32_t>(whole(cut.row + i, cut.col + j));
          for (std::size_t j = cut.cols; j < cut.cols + 3; ++j) count += buffer(i, j) != untouched;
        }
        return count;
      };
      form.latent(cut, tile);
      CHECK(differences(latent) == 0);
      if constexpr (F::has_levels) {
        form.levels(cut, tile);
        CHECK(differences(levels) == 0);
      }
      form.weight(cut, tile);
      CHECK(differences(weight) == 0);
      form.latent(cut, tile);
      form.dequantize(cut, tile, tile);
      CHECK(differences(weight) == 0);
    }
  }
}

template <class F>
void check_shapes() {
  for (const auto& [out, in] :
       {std::pair<std::size_t, std::size_t>{1, 7}, {2, 16}, {15, 17}, {33, 31}, {5, 130}})
    check_cuts<F>(out, in);
}

TEST_CASE("Parameterization: a tile of any cut has the bits of the whole", "[parameterization]") {
  check_shapes<Form<Int<3>, PerGroup<7>, Packed, LowRank<3>, InsideRounding>>();
  check_shapes<Form<Int<4>, PerTensor, FixedPoint, LowRank<5>, InsideRounding>>();
  check_shapes<Form<UInt<4>, PerGroup<5>, FixedPoint, LowRank<5>, InsideRounding>>();
  check_shapes<Form<UInt<3>, PerGroup<4>, Packed, NoAdapter, InsideRounding>>();
  check_shapes<Form<Int<2>, PerGroup<3>, Dense<bf16>, LowRank<2>, WeightDomain>>();
  check_shapes<Form<UInt<2>, PerGroup<6>, Dense<float>, FullRank, WeightDomain>>();
  check_shapes<Form<Int<4>, PerGroup<5>, Packed, LowRank<3>, Parallel>>();
  check_shapes<Form<Unrounded<UInt<3>>, PerGroup<5>, FixedPoint, LowRank<3>, BoundedRounding>>();
  check_shapes<Form<Nested<8, 4>, PerTensor, Packed, LowRank<3>, InsideRounding>>();
}

TEST_CASE("Parameterization: gradients of any cut add up to those of the whole",
          "[parameterization]") {
  // Integers as gradients, scales and factors of two: every sum is exact, so bits must agree.
  using F = Form<Int<4>, PerGroup<8>, Packed, LowRank<2>, InsideRounding>;
  constexpr std::size_t out = 13, in = 29;
  QuantOptions options;
  options.alpha = 2.0f;
  Matrix weight(out, in), gradient(out, in);
  const CounterRng random(3, 3);
  for (std::size_t i = 0; i < out * in; ++i) {
    weight.values[i] = static_cast<float>(random.below(19, 2 * i)) - 9.0f;
    gradient.values[i] = static_cast<float>(random.below(9, 2 * i + 1)) - 4.0f;
  }
  // `columns`: those of all blocks but the last; 0 where they differ.
  const auto gradients = [&](const std::vector<std::vector<Tile>>& blocks,
                             std::size_t columns = 0) {
    F form(weight.view(), std::vector<QParams>(out * 4, QParams{1.0f, 0.0f}), options);
    for (const Parameter<float>& each : form.parameters()) {
      if (each.role != Role::adapter) continue;
      for (std::size_t i = 0; i < each.value.size(); ++i)
        each.value[i] = static_cast<float>(random.below(5, 1000 + i)) - 2.0f;
    }
    for (const std::vector<Tile>& block : blocks) {
      std::vector<float> shared(columns == 0 ? form.shared_gradients()
                                             : form.shared_gradients(columns));
      for (const Tile& tile : block) {
        Matrix z(tile.rows, tile.cols), g(tile.rows, tile.cols);
        form.latent(tile, z.view());
        for (std::size_t i = 0; i < tile.rows; ++i)
          for (std::size_t j = 0; j < tile.cols; ++j)
            g(i, j) = gradient(tile.row + i, tile.col + j);
        form.backward(tile, z.view(), g.view(), shared);
      }
      form.reduce(shared);
    }
    std::vector<std::vector<float>> all;
    for (const Parameter<float>& each : form.parameters()) all.push_back(copy_of(each.gradient));
    return all;
  };
  const auto whole = gradients({{{0, 0, out, in}}});
  CHECK(whole[2][0] != 0.0f);
  CHECK(gradients({{{0, 0, 4, in}, {4, 0, 9, in}}}) == whole);
  CHECK(gradients({{{0, 0, out, 11}}, {{0, 11, out, 18}}}) == whole);
  CHECK(gradients({{{0, 0, 1, 3}, {1, 0, 12, 3}}, {{0, 3, 5, 26}, {5, 3, 8, 26}}}) == whole);
  // Scales of groups that lie inside of blocks are nobody else's.
  CHECK(gradients({{{0, 0, 5, 16}, {5, 0, 8, 16}}, {{0, 16, out, 13}}}, 16) == whole);
  CHECK(gradients({{{0, 0, out, 20}}, {{0, 20, out, 9}}}, 20) == whole);
  const F form(weight.view(), std::vector<QParams>(out * 4, QParams{1.0f, 0.0f}), options);
  CHECK(form.shared_gradients(16) == 2 * out);
  CHECK(form.shared_gradients(20) == 2 * out + 4 * out);
  CHECK(form.shared_gradients(in) == 2 * out);
  CHECK(form.shared_gradients() == 2 * out + 4 * out);
}

/// A granularity of one's own: columns in fours share a scale over all rows.
struct PerColumns {
  using policy_kind = kind::granularity;
  static ScaleLayout layout(Shape weight, const QuantOptions&) {
    return {{1, (weight.cols + 3) / 4}, 4};
  }
};

/// Tells how many weights it was told to share the scale.
struct GroupAsFactor {
  using policy_kind = kind::estimator;
  template <class V>
  LRQAT_INLINE static V pass(V, V, V, V, V) {
    return V(1);
  }
  static float scale_factor(std::size_t group, float high) {
    return static_cast<float>(group) * high;
  }
};

template <class Gran>
std::vector<float> scale_gradients() {
  Matrix weight(3, 10, 1.0f), z(3, 10), gradient(3, 10);
  for (std::size_t j = 0; j < 10; ++j) gradient(0, j) = j % 4 == 0 ? 1.0f : 0.0f;
  using F = Parameterization<Int<4>, Gran, Packed, NoAdapter, InsideRounding, GroupAsFactor,
                             AdapterAndScale, Float32Scale>;
  const std::vector<QParams> qparams(Gran::layout({3, 10}, {}).size(), QParams{1.0f, 0.0f});
  F form(weight.view(), qparams, {});
  std::vector<float> shared(form.shared_gradients());
  const Tile all{0, 0, 3, 10};
  form.latent(all, z.view());
  form.backward(all, z.view(), gradient.view(), shared);
  form.reduce(shared);
  return copy_of(named(form.parameters(), "scale").gradient);
}

TEST_CASE("Parameterization: the estimator is told how many weights share a scale",
          "[parameterization]") {
  // Levels are 1; row 0 has gradients of 1 in columns 0, 4 and 8; high is 7.
  CHECK(scale_gradients<PerTensor>() == std::vector<float>{3 * 30 * 7});
  CHECK(scale_gradients<PerChannel>() == std::vector<float>{3 * 10 * 7, 0, 0});
  CHECK(scale_gradients<PerGroup<4>>() ==
        std::vector<float>{4 * 7, 4 * 7, 2 * 7, 0, 0, 0, 0, 0, 0});
  CHECK(scale_gradients<PerColumns>() == std::vector<float>{12 * 7, 12 * 7, 6 * 7});
}

TEST_CASE("Parameterization: scales below the floor act as the floor and do not learn",
          "[parameterization]") {
  using F = Form<Int<4>, PerChannel, Dense<float>, LowRank<1>, InsideRounding>;
  Matrix weight(3, 2, 1e-8f), gradient(3, 2, 1.0f), z(3, 2);
  F form(weight.view(), std::vector<QParams>{{scale_floor, 0.0f}, {0.0f, 0.0f}, {-1.0f, 0.0f}}, {});
  const Tile all{0, 0, 3, 2};
  form.weight(all, z.view());
  CHECK(z.values == std::vector<float>(6, 1e-8f));
  form.latent(all, z.view());
  std::vector<float> shared(form.shared_gradients());
  form.backward(all, z.view(), gradient.view(), shared);
  form.reduce(shared);
  const auto scale = named(form.parameters(), "scale");
  CHECK(copy_of(scale.gradient) == std::vector<float>{2.0f, 0.0f, 0.0f});
}

}  // namespace
}  // namespace lrqat::test
