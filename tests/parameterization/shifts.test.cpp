// SPDX-License-Identifier: MIT
// tests/parameterization/shifts.test.cpp: trained offsets and zero points beside the scale.
#include <lrqat/parameterization/parameterization.hpp>

#include <lrqat/adapter/full_rank.hpp>
#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/adapter/no_adapter.hpp>
#include <lrqat/estimator/lsq.hpp>
#include <lrqat/estimator/straight_through.hpp>
#include <lrqat/granularity/per_channel.hpp>
#include <lrqat/granularity/per_group.hpp>
#include <lrqat/granularity/per_tensor.hpp>
#include <lrqat/grid/offset.hpp>
#include <lrqat/placement/inside_rounding.hpp>
#include <lrqat/placement/parallel.hpp>
#include <lrqat/placement/tied_weight_domain.hpp>
#include <lrqat/placement/weight_domain.hpp>
#include <lrqat/scale_format/float32_scale.hpp>
#include <lrqat/scale_format/fp16_scale.hpp>
#include <lrqat/storage/dense.hpp>
#include <lrqat/storage/fixed_point.hpp>
#include <lrqat/storage/packed.hpp>
#include <lrqat/trainable/trainable_set.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <type_traits>

namespace lrqat::test {
namespace {

template <class G, class Gran, class S, class A, class P, class E = StraightThrough,
          class F = Float32Scale>
using Form = Parameterization<G, Gran, S, A, P, E, AdapterAndQParams, F>;

/// Reals between two ends, which a zero point moves or does not.
template <bool moves>
struct Smooth {
  using policy_kind = kind::grid;
  static constexpr int bits = 3, code_min = moves ? 0 : -4, code_max = moves ? 7 : 3;
  static constexpr bool has_zero_point = moves;
  template <class V>
  LRQAT_INLINE static V round(V u) {
    return u;
  }
  template <class V>
  LRQAT_INLINE static V clip(V rounded, V zero_point) {
    return clamp(rounded, V(code_min) - zero_point, V(code_max) - zero_point);
  }
  template <class V>
  LRQAT_INLINE static int code(V level, V zero_point) {
    return static_cast<int>(level + zero_point);
  }
  template <class V>
  LRQAT_INLINE static V level(int code, V zero_point) {
    return static_cast<V>(code) - zero_point;
  }
};

/// Latents, and gradients of all parameters for dL/dW_hat = `gradient`, by one tile.
template <class F>
Parameters<float> backward(F& form, const Matrix& gradient, Matrix* grad_z = nullptr) {
  const Tile all{0, 0, gradient.rows, gradient.cols};
  Matrix z(gradient.rows, gradient.cols), g = gradient;
  form.latent(all, z.view());
  std::vector<float> shared(form.shared_gradients());
  form.backward(all, z.view(), g.view(), shared);
  form.reduce(shared);
  if (grad_z) *grad_z = g;
  return form.parameters();
}

constexpr std::size_t out = 5, in = 9;

/// A form with inner values, values beyond both ends, and none within `margin` of an end.
template <class G, class Gran, class S, class A, class P>
Form<G, Gran, S, A, P> smooth_form(float margin) {
  for (std::uint64_t seed = 1;; ++seed) {
    REQUIRE(seed < 20000);
    const Matrix weight = random_matrix(out, in, 1.0f, seed);
    std::vector<QParams> qparams;
    for (std::size_t i = 0; i < Gran::layout({out, in}, {}).size(); ++i)
      qparams.push_back({0.4f + 0.03125f * static_cast<float>(i % 3), 3.0f,
                         0.25f * static_cast<float>(i % 4) - 0.3f});
    Form<G, Gran, S, A, P> form(weight.view(), qparams, {});
    bool keeps_off = true, low = false, high = false;
    for (Parameter<float>& each : form.parameters()) {
      const CounterRng random(seed, each.name == "A" ? 1 : 2);
      for (std::size_t i = 0; i < each.value.size(); ++i) {
        if (each.role == Role::adapter) each.value[i] = 0.3f * random.normal(i);
        if (each.role == Role::zero_point) each.value[i] += 0.375f;
        if (each.role == Role::offset) each.value[i] += 0.03f;
      }
    }
    Matrix u(out, in);
    form.latent({0, 0, out, in}, u.view());
    for (std::size_t i = 0; i < out; ++i)
      for (std::size_t j = 0; j < in; ++j) {
        const QParams used = form.used(form.layout().index(i, j));
        const float at = placed_to_grid<P, G>(u(i, j), used);
        const float below = at - G::level(G::code_min, used.zero_point);
        const float above = at - G::level(G::code_max, used.zero_point);
        keeps_off = keeps_off && std::fabs(below) >= margin && std::fabs(above) >= margin;
        low = low || below < 0;
        high = high || above > 0;
      }
    if (keeps_off && low && high) return form;
  }
}

/// W_hat is piecewise linear in every parameter, so that a central difference has no truncation
/// error as long as no weight crosses an end.
template <class... Policies>
void check_differences() {
  auto form = smooth_form<Policies...>(0.07f);
  const Matrix gradient = random_matrix(out, in, 1.0f, 77);
  const auto loss = [&](double* magnitude = nullptr) {
    Matrix w(out, in);
    form.weight({0, 0, out, in}, w.view());
    double sum = 0;
    for (std::size_t i = 0; i < w.values.size(); ++i) {
      const double g = static_cast<double>(gradient.values[i]);
      sum += g * static_cast<double>(w.values[i]);
      if (magnitude) *magnitude += std::fabs(g);
    }
    return sum;
  };
  double magnitude = 0;
  loss(&magnitude);
  // A weight takes 8 roundings of values below 8; so do the 45 terms of a gradient.
  const double noise = magnitude * 8 * 8 * 0x1p-24;
  int shifts = 0;
  for (const Parameter<float>& each : backward(form, gradient)) {
    shifts += each.role == Role::offset || each.role == Role::zero_point;
    const float step = each.role == Role::scale ? 0x1p-9f : 0x1p-6f;
    for (std::size_t i = 0; i < each.value.size(); ++i) {
      const float kept = each.value[i];
      each.value[i] = kept + step;
      const double above = loss(), high = static_cast<double>(each.value[i]);
      each.value[i] = kept - step;
      const double difference = (above - loss()) / (high - static_cast<double>(each.value[i]));
      each.value[i] = kept;
      INFO(each.name << "[" << i << "]: " << difference << ", backward " << each.gradient[i]);
      CHECK(std::fabs(difference - static_cast<double>(each.gradient[i])) <=
            noise / static_cast<double>(step) + 8 * noise);
    }
  }
  CHECK(shifts == 1);
}

TEST_CASE(
    "Offsets: gradients are differences, in the weight domain, inside and beside the rounding",
    "[parameterization]") {
  using G = Offset<Smooth<false>>;
  check_differences<G, PerGroup<4>, Dense<float>, FullRank, WeightDomain>();
  check_differences<G, PerChannel, Dense<float>, LowRank<2>, InsideRounding>();
  check_differences<G, PerTensor, Dense<float>, LowRank<2>, Parallel>();
}

TEST_CASE("Zero points: gradients are differences", "[parameterization]") {
  using G = Smooth<true>;
  check_differences<G, PerGroup<4>, Dense<float>, FullRank, WeightDomain>();
  check_differences<G, PerChannel, Dense<float>, LowRank<2>, InsideRounding>();
}

/// Latents in grid units: beyond the range, on its ends, within half a step of it, inside, a tie.
const Matrix points(2, 5,
                    {-6.0f, -4.25f, -4.0f, -3.5f, 0.25f,  //
                     1.5f, 3.0f, 3.25f, 3.5f, 6.0f});
const Matrix directions(2, 5,
                        {1.0f, 2.0f, 4.0f, 8.0f, 16.0f,  //
                         32.0f, 64.0f, 128.0f, 256.0f, 512.0f});

/// Every number here is exact. @param pass  of each point
template <class G, class E>
void check_closed_form(const std::vector<float>& pass, QParams cell) {
  Matrix weight = points;
  for (float& value : weight.values) value = cell.scale * value + cell.offset;
  Form<G, PerTensor, Dense<float>, FullRank, WeightDomain, E> form(weight.view(),
                                                                   std::vector<QParams>{cell}, {});
  Matrix grad_z(2, 5);
  const Parameters<float> all = backward(form, directions, &grad_z);
  float scale = 0, shift = 0, true_scale = 0;
  for (std::size_t i = 0; i < pass.size(); ++i) {
    const float u = points.values[i], g = directions.values[i];
    const float level = clamp(round_half_even(u), -4.0f, 3.0f);
    scale += g * (level - pass[i] * u);
    true_scale += g * level;
    shift += G::has_zero_point ? -cell.scale * g * (1 - pass[i]) : g * (1 - pass[i]);
    CHECK(grad_z.values[i] == g * pass[i]);
  }
  const float factor = E::scale_factor(10, G::level(G::code_max, 0.0f));
  CHECK(named(all, "scale").gradient[0] == factor * scale);
  CHECK(scale != true_scale);  // LSQ's rule is no derivative of the forward pass
  CHECK(named(all, G::has_zero_point ? "zero_point" : "offset").gradient[0] == factor * shift);
  CHECK(copy_of(named(all, "weight").gradient) == grad_z.values);
}

TEST_CASE("Coupled rules: scale, offset and zero point in the three regions",
          "[parameterization]") {
  const std::vector<float> rounded{0, 1, 1, 1, 1, 1, 1, 1, 0, 0},
      clipped{0, 0, 1, 1, 1, 1, 1, 0, 0, 0}, strict{0, 0, 0, 1, 1, 1, 0, 0, 0, 0};
  const QParams moved{0.5f, 0.0f, 0.375f}, zero_4{0.5f, 4.0f, 0.0f};
  check_closed_form<Offset<Int<3>>, StraightThrough>(rounded, moved);
  check_closed_form<Offset<Int<3>>, StraightThroughClipFirst>(clipped, moved);
  check_closed_form<Offset<Int<3>>, Lsq>(strict, moved);
  check_closed_form<UInt<3>, StraightThrough>(rounded, zero_4);
}

TEST_CASE("Offsets inside the rounding: every weight moves along", "[parameterization]") {
  Matrix weight = points;
  for (float& value : weight.values) value = 0.5f * value + 0.375f;
  Form<Offset<Int<3>>, PerTensor, Packed, NoAdapter, InsideRounding> form(
      weight.view(), std::vector<QParams>{{0.5f, 0.0f, 0.375f}}, {});
  float levels = 0;
  for (std::size_t i = 0; i < 10; ++i)
    levels += directions.values[i] * clamp(round_half_even(points.values[i]), -4.0f, 3.0f);
  const Parameters<float> all = backward(form, directions);
  CHECK(named(all, "scale").gradient[0] == levels);
  CHECK(named(all, "offset").gradient[0] == 1023.0f);
  // A live offset moves the weights and no level.
  Matrix before(2, 5), after(2, 5), w(2, 5);
  form.levels({0, 0, 2, 5}, before.view());
  named(all, "offset").value[0] = -2.0f;
  form.levels({0, 0, 2, 5}, after.view());
  form.weight({0, 0, 2, 5}, w.view());
  CHECK(after.values == before.values);
  for (std::size_t i = 0; i < 10; ++i) CHECK(w.values[i] == 0.5f * before.values[i] - 2.0f);
}

TEST_CASE("Zero points: used as the nearest integer among the codes", "[parameterization]") {
  const Matrix weight = random_matrix(6, 2, 1.0f, 1);
  Form<UInt<3>, PerChannel, Dense<float>, FullRank, WeightDomain> form(
      weight.view(), std::vector<QParams>(6, QParams{0.5f, 3.0f}), {});
  const std::vector<float> masters{2.5f, 3.5f, -0.7f, -3.0f, 9.2f, 6.9f};
  std::copy(masters.begin(), masters.end(), named(form.parameters(), "zero_point").value.begin());
  const std::vector<float> used{2.0f, 4.0f, 0.0f, 0.0f, 7.0f, 7.0f};
  for (std::size_t i = 0; i < 6; ++i) CHECK(form.used(i).zero_point == used[i]);
  CHECK(copy_of(form.zero_points()) == masters);
}

TEST_CASE("Fp16Scale: an offset is used as a half", "[parameterization]") {
  const Matrix weight = random_matrix(2, 32, 1.0f, 1);
  Form<Offset<UInt<4>>, PerChannel, Packed, NoAdapter, InsideRounding, StraightThrough, Fp16Scale>
      form(weight.view(), std::vector<QParams>(2, QParams{0.1f, 0.0f, -0.3f}), {});
  CHECK(form.used(1).offset == static_cast<float>(half(-0.3f)));
  CHECK(form.used(1).offset != -0.3f);
  CHECK(form.offsets()[1] == -0.3f);
}

TEST_CASE("Tied weight domain: the base moves with the scale", "[parameterization]") {
  const Matrix weight = random_matrix(7, 33, 1.0f, 5);
  Form<Int<4>, PerGroup<8>, Packed, LowRank<2>, TiedWeightDomain> form(
      weight.view(), std::vector<QParams>(7 * 5, QParams{0.3f, 0.0f}), {});
  Matrix before(7, 33), after(7, 33), w(7, 33);
  const Tile all{0, 0, 7, 33};
  form.levels(all, before.view());
  for (std::size_t i = 0; i < before.values.size(); ++i)
    CHECK(before.values[i] == clamp(round_half_even(weight.values[i] / 0.3f), -8.0f, 7.0f));
  for (std::size_t i = 0; i < 7 * 5; ++i)
    form.scales()[i] = 0.05f + 0.037f * static_cast<float>(i % 13);
  form.levels(all, after.view());
  CHECK(after.values == before.values);
  form.weight(all, w.view());
  for (std::size_t i = 0; i < 7; ++i)
    for (std::size_t j = 0; j < 33; ++j)
      CHECK(w(i, j) == form.scales()[i * 5 + j / 8] * before(i, j));
}

/// Integers as gradients, scales and offsets: every sum is exact, so that bits of any cut agree.
template <class F>
void check_gradient_cuts() {
  const MachineSettings restored;
  Matrix weight(13, 29), gradient(13, 29);
  const CounterRng random(3, 3);
  for (std::size_t i = 0; i < weight.values.size(); ++i) {
    weight.values[i] = static_cast<float>(random.below(19, 2 * i)) - 9.0f;
    gradient.values[i] = static_cast<float>(random.below(9, 2 * i + 1)) - 4.0f;
  }
  const auto gradients = [&](const std::vector<Tile>& blocks, std::size_t columns = 0) {
    F form(weight.view(), std::vector<QParams>(13 * 4, QParams{1.0f, 3.0f, 2.0f}), {});
    for (const Tile& tile : blocks) {
      std::vector<float> shared(columns == 0 ? form.shared_gradients()
                                             : form.shared_gradients(columns));
      Matrix z(tile.rows, tile.cols), g(tile.rows, tile.cols);
      form.latent(tile, z.view());
      for (std::size_t i = 0; i < tile.rows; ++i)
        for (std::size_t j = 0; j < tile.cols; ++j) g(i, j) = gradient(tile.row + i, tile.col + j);
      form.backward(tile, z.view(), g.view(), shared);
      form.reduce(shared);
    }
    std::vector<std::vector<float>> all;
    for (const Parameter<float>& each : form.parameters()) all.push_back(copy_of(each.gradient));
    return all;
  };
  const auto whole = gradients({{0, 0, 13, 29}});
  REQUIRE(whole.back().size() == 13 * 4);
  CHECK(whole.back() != std::vector<float>(13 * 4));
  for (const kernel::Isa isa : isas_of_machine()) {
    INFO(isa_name(isa));
    kernel::set_active_isa(isa);
    CHECK(gradients({{0, 0, 13, 11}, {0, 11, 13, 18}}) == whole);
    CHECK(gradients({{0, 0, 1, 29}, {1, 0, 12, 29}}) == whole);
    CHECK(gradients({{0, 0, 13, 16}, {0, 16, 13, 13}}, 16) == whole);
    CHECK(gradients({{0, 0, 13, 20}, {0, 20, 13, 9}}, 20) == whole);
  }
}

TEST_CASE("Offsets and zero points: gradients of any cut add up to those of the whole",
          "[parameterization]") {
  check_gradient_cuts<Form<Offset<Int<4>>, PerGroup<8>, Dense<float>, FullRank, WeightDomain>>();
  check_gradient_cuts<Form<UInt<3>, PerGroup<8>, Dense<float>, FullRank, WeightDomain>>();
}

/// Weights of any cut, on every instruction set, have the bits of the whole.
template <class F>
void check_weight_cuts() {
  const MachineSettings restored;
  const Matrix weight = random_matrix(17, 37, 0.7f, 1);
  std::vector<QParams> qparams;
  for (std::size_t i = 0; i < 17 * 5; ++i)
    qparams.push_back(
        {0.2f + 0.01f * static_cast<float>(i % 7), 0.0f, 0.1f * static_cast<float>(i % 5) - 0.23f});
  F form(weight.view(), qparams, {});
  randomize_adapter(form, 0.5f, 2);
  kernel::set_active_isa(kernel::Isa::scalar);
  Matrix whole(17, 37);
  form.weight({0, 0, 17, 37}, whole.view());
  for (const kernel::Isa isa : isas_of_machine()) {
    kernel::set_active_isa(isa);
    for (const Tile& tile : {Tile{0, 0, 17, 37}, Tile{3, 5, 9, 31}, Tile{16, 36, 1, 1}}) {
      Matrix w(tile.rows, tile.cols), own(tile.rows, tile.cols);
      form.weight(tile, w.view());
      for (std::size_t i = 0; i < tile.rows; ++i)
        for (std::size_t j = 0; j < tile.cols; ++j) own(i, j) = whole(tile.row + i, tile.col + j);
      INFO(isa_name(isa));
      CHECK(bits_of(w.values) == bits_of(own.values));
    }
  }
}

TEST_CASE("Offsets: a tile of any cut has the bits of the whole on every instruction set",
          "[parameterization]") {
  check_weight_cuts<Form<Offset<Int<3>>, PerGroup<8>, Dense<float>, LowRank<3>, WeightDomain>>();
  check_weight_cuts<Form<Offset<UInt<4>>, PerGroup<8>, FixedPoint, LowRank<3>, InsideRounding>>();
  check_weight_cuts<Form<Int<4>, PerGroup<8>, Packed, LowRank<3>, TiedWeightDomain>>();
}

}  // namespace
}  // namespace lrqat::test
