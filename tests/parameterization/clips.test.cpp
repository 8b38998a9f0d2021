// SPDX-License-Identifier: MIT
// tests/parameterization/clips.test.cpp: scales and zero points from learned parts of a range.
#include <lrqat/parameterization/clipped_cells.hpp>

#include <lrqat/adapter/channel_scales.hpp>
#include <lrqat/adapter/full_rank.hpp>
#include <lrqat/adapter/low_rank.hpp>
#include <lrqat/granularity/per_channel.hpp>
#include <lrqat/granularity/per_group.hpp>
#include <lrqat/granularity/per_tensor.hpp>
#include <lrqat/grid/uint.hpp>
#include <lrqat/grid/unrounded.hpp>
#include <lrqat/linear/quant_linear.hpp>
#include <lrqat/placement/weight_domain.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <limits>

namespace lrqat::test {
namespace {

constexpr std::size_t out = 5, in = 11, tokens = 4;

template <class Layer>
double loss_of(const Layer& layer, const Matrix& gradient) {
  const Matrix w = weight_of(layer);
  double sum = 0;
  for (std::size_t i = 0; i < w.values.size(); ++i)
    sum += static_cast<double>(gradient.values[i]) * static_cast<double>(w.values[i]);
  return sum;
}

/// Gradients for dL/dW_hat = `gradient`: x is the identity.
template <class Layer>
void add_gradients(Layer& layer, const Matrix& gradient) {
  Matrix x(in, in), grad_y(in, out), grad_x(in, in);
  for (std::size_t j = 0; j < in; ++j) {
    x(j, j) = 1.0f;
    for (std::size_t i = 0; i < out; ++i) grad_y(j, i) = gradient(i, j);
  }
  layer.backward(x.view(), grad_y.view(), grad_x.view());
}

/// Clips far from 4, so that many weights are beyond the ends, and an adapter that is not zero.
template <class Layer>
Layer clipped_layer(std::uint64_t seed) {
  const Matrix weight = random_matrix(out, in, 1.0f, seed);
  Layer layer(weight.view());
  randomize_adapter(layer, 0.2f, seed);
  for (const Parameter<float>& each : layer.parameters())
    if (each.role == Role::clip)
      for (std::size_t i = 0; i < each.value.size(); ++i)
        each.value[i] = 0.9f - 0.25f * static_cast<float>((i + each.name.size()) % 5);
  if constexpr (requires { layer.after_step(); }) layer.after_step();
  return layer;
}

/// Without rounding every gradient is a derivative, but that of z, which is an integer: only where
/// neither z nor what is clipped changes within the difference.
template <class... Policies>
void check_differences(int least_compared) {
  using Layer = QuantLinear<Unrounded<UInt<3>>, WeightDomain, Policies...>;
  auto layer = clipped_layer<Layer>(3);
  const Matrix gradient = random_matrix(out, in, 1.0f, 77);
  add_gradients(layer, gradient);
  const auto state = [&] {  // zero points, and which weights are at an end
    std::vector<float> all;
    const Matrix w = weight_of(layer);
    for (std::size_t i = 0; i < out; ++i)
      for (std::size_t j = 0; j < in; ++j) {
        const QParams used = layer.weight().used(layer.weight().layout().index(i, j));
        const float level = w(i, j) / used.scale + used.zero_point;
        all.push_back(used.zero_point);
        all.push_back(level < 1e-4f ? 0.0f : level > 7 - 1e-4f ? 2.0f : 1.0f);
      }
    return all;
  };
  const auto follow = [&] {
    if constexpr (requires { layer.after_step(); }) layer.after_step();
  };
  double size = 0;
  for (const float g : gradient.values) size += std::fabs(static_cast<double>(g));
  const auto first = state();
  int compared = 0;
  for (const Parameter<float>& each : layer.parameters())
    for (std::size_t i = 0; i < each.value.size(); ++i) {
      constexpr float step = 0x1p-8f;
      const float kept = each.value[i];
      const auto at = [&](float value) {
        each.value[i] = value;
        follow();
        return loss_of(layer, gradient);
      };
      const double above = at(kept + step);
      bool same = state() == first;
      const double below = at(kept - step);
      same = same && state() == first;
      const double wide = (at(kept + 2 * step) - at(kept - 2 * step)) / (4.0 * step);
      same = same && state() == first;
      at(kept);
      if (!same) continue;
      ++compared;
      const double difference = (above - below) / (2.0 * step);
      INFO(each.name << "[" << i << "]: " << difference << ", backward " << each.gradient[i]);
      // A weight of up to 4 takes 8 roundings; the truncation is a third of what doubling the step
      // changes.
      CHECK(std::fabs(difference - static_cast<double>(each.gradient[i])) <=
            size * 32 * 0x1p-24 / static_cast<double>(step) + std::fabs(wide - difference));
    }
  CHECK(compared >= least_compared);
}

TEST_CASE("Clips: gradients are differences, of an adapter that moves the range too",
          "[parameterization]") {
  check_differences<ClipsOnly, PerGroup<4>>(24);
  check_differences<ClipsOnly, PerTensor>(1);
  check_differences<AdapterAndClips, FullRank, PerChannel>(40);
  check_differences<AdapterAndClips, LowRank<2>, PerGroup<8>>(40);
  check_differences<AdapterAndClips, ChannelScales, PerGroup<4>>(30);
}

TEST_CASE("Clips: the closed form, on a grid that rounds", "[parameterization]") {
  using Layer = QuantLinear<UInt<3>, WeightDomain, ClipsOnly, PerChannel>;
  auto layer = clipped_layer<Layer>(5);
  const Matrix weight = random_matrix(out, in, 1.0f, 5), g = random_matrix(out, in, 1.0f, 6);
  add_gradients(layer, g);
  const auto high = named(layer.parameters(), "clip_high"), low = named(layer.parameters(), "clip_low");
  const auto part = [](float logit) { return 1 / (1 + std::exp(-static_cast<double>(logit))); };
  int clipped = 0;
  for (std::size_t i = 0; i < out; ++i) {
    double most = 0, least = 0, slope = 0, size = 0;
    for (std::size_t j = 0; j < in; ++j) {
      most = std::max(most, static_cast<double>(weight(i, j)));
      least = std::min(least, static_cast<double>(weight(i, j)));
    }
    const double s = (part(high.value[i]) * most - part(low.value[i]) * least) / 7;
    const double z = std::nearbyint(-part(low.value[i]) * least / s);
    const QParams used = layer.weight().used(i);
    CHECK(static_cast<double>(used.scale) == Approx(s).epsilon(1e-6));
    CHECK(static_cast<double>(used.zero_point) == z);
    for (std::size_t j = 0; j < in; ++j) {
      const double u = static_cast<double>(weight(i, j)) / s, code = std::nearbyint(u) + z;
      const bool inside = code >= 0 && code <= 7;
      clipped += !inside;
      const double way = (inside ? code : code < 0 ? 0 : 7) - z - (inside ? u : 0);
      slope += static_cast<double>(g(i, j)) * way;
      size += std::fabs(static_cast<double>(g(i, j))) * 8;
    }
    const auto passed = [&](float logit) { return part(logit) * (1 - part(logit)) / 7; };
    const double margin = size * 64 * 0x1p-24;
    CHECK(static_cast<double>(high.gradient[i]) ==
          Approx(slope * most * passed(high.value[i])).margin(margin));
    CHECK(static_cast<double>(low.gradient[i]) ==
          Approx(-slope * least * passed(low.value[i])).margin(margin));
  }
  CHECK(clipped > 5);
}

TEST_CASE("Clips: zero groups, one weight, one sign, and bounds of the scale", "[parameterization]") {
  const float huge = 1e6f, tiny = 1e-7f;
  Matrix weight(5, 4, {0.0f, 0.0f, 0.0f, 0.0f,  //
                       0.5f, 0.25f, 1.0f, 0.75f,  //
                       -0.5f, -0.25f, -1.0f, -0.75f,  //
                       huge, -huge, 0.0f, huge,  //
                       tiny, -tiny, 0.0f, tiny});
  QuantLinear<UInt<3>, WeightDomain, ClipsOnly> layer(weight.view());
  for (const Parameter<float>& each : layer.parameters())
    std::fill(each.value.begin(), each.value.end(), 100.0f);  // the whole range
  const auto used = [&](std::size_t row) { return layer.weight().used(row); };
  CHECK((used(0).scale == 1e-5f && used(0).zero_point == 0.0f));
  CHECK((used(1).scale == 1.0f / 7 && used(1).zero_point == 0.0f));
  CHECK((used(2).scale == 1.0f / 7 && used(2).zero_point == 7.0f));
  CHECK((used(3).scale == 1e4f && used(3).zero_point == 7.0f));
  CHECK((used(4).scale == 1e-5f && used(4).zero_point == 0.0f));
  Matrix x(4, 4), grad_y(4, 5, 1.0f), grad_x(4, 4);
  for (std::size_t j = 0; j < 4; ++j) x(j, j) = 1.0f;
  for (const Parameter<float>& each : layer.parameters())
    std::fill(each.value.begin(), each.value.end(), 0.0f);
  layer.backward(x.view(), grad_y.view(), grad_x.view());
  for (const Parameter<float>& each : layer.parameters()) {
    CHECK(each.gradient[0] == 0.0f);
    CHECK(each.gradient[3] == 0.0f);  // beyond the bound, as clamping has it
    CHECK(each.gradient[4] == 0.0f);
  }
  CHECK(named(layer.parameters(), "clip_high").gradient[1] != 0.0f);
  CHECK(named(layer.parameters(), "clip_low").gradient[1] == 0.0f);  // no weight below 0
  CHECK(named(layer.parameters(), "clip_low").gradient[2] != 0.0f);

  named(layer.parameters(), "clip_low").value[1] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(layer.merge(), Catch::Matchers::Contains("scale"));
}

TEST_CASE("Clips: the same bits for any threads and on every instruction set",
          "[parameterization]") {
  const MachineSettings restored;
  using Layer = QuantLinear<UInt<3>, WeightDomain, AdapterAndClips, LowRank<2>, PerGroup<8>>;
  const Matrix x = random_matrix(tokens, 70, 1.0f, 2), grad_y = random_matrix(tokens, 300, 1.0f, 3);
  const auto run = [&] {
    Layer layer(random_matrix(300, 70, 1.0f, 1).view());
    randomize_adapter(layer, 0.2f, 9);
    layer.after_step();
    return layer;
  };
  set_thread_count(1);
  kernel::set_active_isa(kernel::Isa::scalar);
  const auto levels = levels_of(run());
  for (const kernel::Isa isa : isas_of_machine()) {
    INFO(isa_name(isa));
    kernel::set_active_isa(isa);
    set_thread_count(1);
    CHECK(levels_of(run()) == levels);
    const Passes one = run_passes(run(), x, grad_y);
    for (const int threads : thread_counts({2, 3})) {
      set_thread_count(threads);
      CHECK(run_passes(run(), x, grad_y) == one);
    }
  }
}

}  // namespace
}  // namespace lrqat::test
