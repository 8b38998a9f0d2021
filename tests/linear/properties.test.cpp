// SPDX-License-Identifier: MIT
// tests/linear/properties.test.cpp: what an LR-QAT layer must have (lr-qat, section 6), for random
// shapes, weights and adapters. RapidCheck prints its seed; RC_PARAMS="seed=..." repeats a run.
#include <lrqat/lrqat.hpp>

#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <cmath>

namespace lrqat::test::properties_cases {
namespace {

/// A random problem: shapes, and seeds of its numbers.
struct Problem {
  std::size_t out, in, tokens;
  std::uint64_t seed;

  Matrix weight() const { return random_matrix(out, in, 0.3f, seed); }
  Matrix x() const { return random_matrix(tokens, in, 1.0f, seed + 1); }
  Matrix grad_y() const { return random_matrix(tokens, out, 1.0f, seed + 2); }
};

Problem any_problem() {
  return {*rc::gen::inRange<std::size_t>(1, 40), *rc::gen::inRange<std::size_t>(1, 70),
          *rc::gen::inRange<std::size_t>(1, 6), *rc::gen::inRange<std::uint64_t>(0, 1u << 30)};
}

template <class Layer>
Layer any_layer(const Problem& problem, QuantOptions options = {}) {
  Layer layer(problem.weight().view(), options);
  randomize_adapter(layer, 0.7f, problem.seed + 3);
  for (float& scale : layer.weight().scales())
    scale *= 0.5f + static_cast<float>(*rc::gen::inRange(0, 100)) / 100.0f;
  return layer;
}

TEST_CASE("Property 1: at the start W_hat is W0 rounded to nearest", "[linear]") {
  rc::prop("Dense<float>, A B = 0, s = s0", [] {
    const Problem problem = any_problem();
    const Matrix weight = problem.weight();
    const QuantLinear<Int<3>, Dense<float>, LowRank<2>> layer(weight.view());
    const Matrix quantized = weight_of(layer);
    for (std::size_t i = 0; i < weight.rows; ++i)
      for (std::size_t j = 0; j < weight.cols; ++j) {
        const float scale = layer.weight().scales()[i];
        const float level = std::min(std::max(std::nearbyint(weight(i, j) / scale), -4.0f), 3.0f);
        RC_ASSERT(quantized(i, j) == scale * level);
      }
  });
}

TEST_CASE("Property 2: the merged layer gives the same bits", "[linear]") {
  rc::prop("FixedPoint, LowRank", [] {
    const Problem problem = any_problem();
    const auto layer = any_layer<QuantLinear<Int<4>, LowRank<2>>>(problem);
    const Matrix x = problem.x();
    Matrix y(x.rows, problem.out), merged_y(x.rows, problem.out);
    layer.forward(x.view(), y.view());
    layer.merge().forward(x.view(), merged_y.view());
    RC_ASSERT(bits_of(merged_y.values) == bits_of(y.values));
  });
}

TEST_CASE("Property 3: the output is linear in s, and ds its slope", "[linear]") {
  rc::prop("central difference of any one scale", [] {
    const Problem problem = any_problem();
    auto layer = any_layer<QuantLinear<Int<4>, LowRank<2>, Reference>>(problem);
    const Matrix x = problem.x(), grad_y = problem.grad_y();
    const std::size_t row = *rc::gen::inRange<std::size_t>(0, problem.out);
    const float slope = run_passes(layer, x, grad_y).gradients.back()[row];
    const auto loss = [&] {
      Matrix y(x.rows, problem.out);
      layer.forward(x.view(), y.view());
      double sum = 0;
      for (std::size_t t = 0; t < x.rows; ++t)
        sum += static_cast<double>(y(t, row)) * static_cast<double>(grad_y(t, row));
      return sum;
    };
    float& scale = layer.weight().scales()[row];
    const float step = 0.5f * scale;
    scale += step;
    const double above = loss(), high = static_cast<double>(scale);
    scale -= 2 * step;
    const double difference = (above - loss()) / (high - static_cast<double>(scale));
    // Of each term x w g: one rounding of w, one of y, one of G and one of its product with the
    // level; levels are at most 8, and the sums of G and ds have tokens + in terms.
    double magnitude = 0;
    for (std::size_t t = 0; t < x.rows; ++t)
      for (std::size_t j = 0; j < problem.in; ++j)
        magnitude += std::fabs(static_cast<double>(x(t, j)) * static_cast<double>(grad_y(t, row)));
    const auto terms = static_cast<double>(x.rows + problem.in + 16);
    RC_ASSERT(std::fabs(difference - static_cast<double>(slope)) <=
              8 * magnitude * terms * 0x1p-24);
  });
}

TEST_CASE("Property 4: without adapter, on integers, only s and x get gradients", "[linear]") {
  rc::prop("Packed, NoAdapter", [] {
    const Problem problem = any_problem();
    auto layer = any_layer<QuantLinear<Int<3>, Packed>>(problem);
    const auto parameters = layer.parameters();
    RC_ASSERT(parameters.size() == 1u);
    RC_ASSERT(parameters.front().name == "scale");
    const std::vector<int> levels = levels_of(layer);
    for (float& scale : layer.weight().scales()) scale *= 3.0f;
    RC_ASSERT(levels_of(layer) == levels);
  });
}

TEST_CASE("Property 5: A = 0 implies dB = 0, not dA = 0", "[linear]") {
  rc::prop("the first step", [] {
    const Problem problem = any_problem();
    const QuantLinear<Int<4>, LowRank<2>> layer(problem.weight().view());
    const Passes passes = run_passes(layer, problem.x(), problem.grad_y());
    for (const float value : passes.gradients[1]) RC_ASSERT(value == 0.0f);
    RC_ASSERT(std::any_of(passes.gradients[0].begin(), passes.gradients[0].end(),
                          [](float value) { return value != 0.0f; }));
  });
}

TEST_CASE("Property 6: groups are channels of a reshaped weight", "[linear]") {
  using Grouped = QuantLinear<Int<4>, PerGroup<dynamic>, FixedPoint, LowRank<2>, LpSearch<2>>;
  using Channels = QuantLinear<Int<4>, PerChannel, FixedPoint, LowRank<2>, LpSearch<2>>;
  rc::prop("a group of the whole row is the channel", [] {
    const Problem problem = any_problem();
    QuantOptions options;
    options.group_size = problem.in;
    Grouped grouped(problem.weight().view(), options);
    Channels channels(problem.weight().view());
    randomize_adapter(grouped, 0.5f, 1);
    randomize_adapter(channels, 0.5f, 1);
    RC_ASSERT(run_passes(grouped, problem.x(), problem.grad_y()) ==
              run_passes(channels, problem.x(), problem.grad_y()));
  });
  rc::prop("W (out, in) in groups of g is W (out in / g, g) in channels", [] {
    const std::size_t group = *rc::gen::inRange<std::size_t>(1, 20);
    const std::size_t groups = *rc::gen::inRange<std::size_t>(1, 5);
    Problem problem = any_problem();
    problem.in = group * groups;
    QuantOptions options;
    options.group_size = group;
    const Matrix weight = problem.weight();
    const Grouped grouped(weight.view(), options);
    const Channels channels(
        MatrixView<const float>(weight.values.data(), problem.out * groups, group));
    RC_ASSERT(copy_of(grouped.weight().scales()) == copy_of(channels.weight().scales()));
    RC_ASSERT(weight_of(grouped).values == weight_of(channels).values);
  });
}

TEST_CASE("Property 7: recomputing gives the bits of keeping", "[linear]") {
  rc::prop("backward on kept z and W_hat", [] {
    const Problem problem = any_problem();
    auto layer = any_layer<QuantLinear<Int<4>, LowRank<2>, Reference>>(problem);
    const Matrix x = problem.x(), grad_y = problem.grad_y();
    const Passes recomputed = run_passes(layer, x, grad_y);

    auto& form = layer.weight();
    const Tile whole{0, 0, problem.out, problem.in};
    Matrix z(problem.out, problem.in), gradient(problem.out, problem.in);
    form.latent(whole, z.view());
    const Matrix kept = weight_of(layer);
    Matrix y(x.rows, problem.out), grad_x(x.rows, problem.in);
    for (std::size_t t = 0; t < x.rows; ++t) {
      for (std::size_t i = 0; i < problem.out; ++i) {
        double sum = 0;
        for (std::size_t j = 0; j < problem.in; ++j)
          sum += static_cast<double>(x(t, j)) * static_cast<double>(kept(i, j));
        y(t, i) = static_cast<float>(sum);
      }
      for (std::size_t j = 0; j < problem.in; ++j) {
        double sum = 0;
        for (std::size_t i = 0; i < problem.out; ++i)
          sum += static_cast<double>(grad_y(t, i)) * static_cast<double>(kept(i, j));
        grad_x(t, j) = static_cast<float>(sum);
      }
    }
    for (std::size_t i = 0; i < problem.out; ++i)
      for (std::size_t j = 0; j < problem.in; ++j) {
        double sum = 0;
        for (std::size_t t = 0; t < x.rows; ++t)
          sum += static_cast<double>(grad_y(t, i)) * static_cast<double>(x(t, j));
        gradient(i, j) = static_cast<float>(sum);
      }
    layer.zero_gradients();
    std::vector<float> shared(form.shared_gradients());
    form.backward(whole, z.view(), gradient.view(), shared);
    form.reduce(shared);
    RC_ASSERT(bits_of(y.values) == bits_of(recomputed.y.values));
    RC_ASSERT(bits_of(grad_x.values) == bits_of(recomputed.grad_x.values));
    for (std::size_t p = 0; p < recomputed.gradients.size(); ++p)
      RC_ASSERT(copy_of(layer.parameters()[p].gradient) == recomputed.gradients[p]);
  });
}

TEST_CASE("Property 8: nibbles survive, every byte decodes", "[linear]") {
  using Codes = Packed::bound_to<Int<4>>;
  rc::prop("pack, unpack", [] {
    const auto codes = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-8, 8));
    std::vector<std::byte> row(Codes::bytes_per_row(codes.size()));
    for (std::size_t j = 0; j < codes.size(); ++j) Codes::store(row.data(), j, codes[j]);
    for (std::size_t j = 0; j < codes.size(); ++j)
      RC_ASSERT(Codes::load(row.data(), j) == codes[j]);
  });
  rc::prop("unpack, pack", [] {
    const auto bytes =
        *rc::gen::container<std::vector<unsigned char>>(rc::gen::arbitrary<unsigned char>());
    std::vector<std::byte> row, again(bytes.size());
    for (const unsigned char byte : bytes) row.push_back(static_cast<std::byte>(byte));
    std::vector<float> levels(2 * row.size());
    Codes::decode(row.data(), 0, 0.0f, levels);
    Codes::encode(levels, 0.0f, again.data(), 0);
    RC_ASSERT((again == row));
  });
}

TEST_CASE("Property 9: powers of two pass through", "[linear]") {
  rc::prop("W0, s0 and s times 2^q", [] {
    const Problem problem = any_problem();
    const int q = *rc::gen::inRange(-12, 13);
    const float factor = std::ldexp(1.0f, q);
    using Layer = QuantLinear<Int<4>, FixedPoint, LowRank<2>>;
    const Layer layer = any_layer<Layer>(problem);
    std::vector<QParams> first_scales;
    const Layer untrained(problem.weight().view());
    for (const float scale : untrained.weight().scales())
      RC_PRE(0.5f * scale * std::min(factor, 1.0f) > scale_floor);
    for (const float scale : untrained.weight().scales())
      first_scales.push_back({scale * factor, 0.0f});
    Matrix weight = problem.weight();
    for (float& value : weight.values) value *= factor;
    Layer scaled(weight.view(), first_scales);
    randomize_adapter(scaled, 0.7f, problem.seed + 3);
    for (std::size_t i = 0; i < first_scales.size(); ++i)
      scaled.weight().scales()[i] = layer.weight().scales()[i] * factor;

    const auto base = layer.weight().base(), scaled_base = scaled.weight().base();
    RC_ASSERT(std::equal(base.begin(), base.end(), scaled_base.begin(), scaled_base.end()));
    RC_ASSERT(levels_of(scaled) == levels_of(layer));
    const Passes plain = run_passes(layer, problem.x(), problem.grad_y());
    const Passes times = run_passes(scaled, problem.x(), problem.grad_y());
    const auto check = [](const std::vector<float>& got, const std::vector<float>& from, float by) {
      for (std::size_t i = 0; i < got.size(); ++i) RC_ASSERT(got[i] == by * from[i]);
    };
    check(times.y.values, plain.y.values, factor);
    check(times.grad_x.values, plain.grad_x.values, factor);
    check(times.gradients[0], plain.gradients[0], factor);
    check(times.gradients[1], plain.gradients[1], factor);
    check(times.gradients[2], plain.gradients[2], 1.0f);
  });
}

TEST_CASE("Property 10: threads and instruction sets leave integers and outputs alone",
          "[linear]") {
  rc::prop("1 to 7 threads, every instruction set", [] {
    const MachineSettings restored;
    Problem problem = any_problem();
    problem.out *= *rc::gen::inRange<std::size_t>(1, 5);
    problem.in *= *rc::gen::inRange<std::size_t>(1, 5);
    set_thread_count(1);
    kernel::set_active_isa(kernel::Isa::scalar);
    const auto layer = any_layer<QuantLinear<Int<4>, PerGroup<1>, LowRank<2>>>(problem);
    const std::vector<int> levels = levels_of(layer);
    const Matrix x = problem.x(), grad_y = problem.grad_y();
    const Passes scalar = run_passes(layer, x, grad_y);
    const auto isas = isas_of_machine();
    kernel::set_active_isa(isas[*rc::gen::inRange<std::size_t>(0, isas.size())]);
    const Passes alone = run_passes(layer, x, grad_y);
    set_thread_count(thread_counts({*rc::gen::inRange(1, 8)}).front());
    RC_ASSERT(levels_of(layer) == levels);
    RC_ASSERT(run_passes(layer, x, grad_y) == alone);
    RC_ASSERT(bits_of(alone.y.values) == bits_of(scalar.y.values));
    RC_ASSERT(bits_of(alone.grad_x.values) == bits_of(scalar.grad_x.values));
  });
}

}  // namespace
}  // namespace lrqat::test::properties_cases
