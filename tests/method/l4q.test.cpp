// SPDX-License-Identifier: MIT
// tests/method/l4q.test.cpp: the methods with a trained real offset, L4Q and LSQ+.
#include <lrqat/method/l4q.hpp>

#include <linear/merge_check.hpp>
#include <support/machine.hpp>

#include <cmath>
#include <concepts>

namespace lrqat::test::l4q_cases {
namespace {

using L4q = method::L4q<4, 4, 8>;
static_assert(std::same_as<
              L4q, QuantLinear<Offset<Int<4>>, PerGroup<8>, Dense<float>, LowRank<4>, WeightDomain,
                               StraightThroughClipFirst, NoClip, AdapterAndQParams>>);
static_assert(std::same_as<method::LsqPlus<3>, QuantLinear<Offset<Int<3>>, FullRank, WeightDomain,
                                                           Lsq, MinMax, AdapterAndQParams>>);

const Matrix weight = random_matrix(13, 29, 0.3f, 1), x = random_matrix(7, 29, 1.0f, 2),
             grad_y = random_matrix(7, 13, 1.0f, 3);

TEST_CASE("L4Q: nothing clips at the start, so the offset has no gradient", "[method]") {
  L4q layer(weight.view());
  const Passes passes = run_passes(layer, x, grad_y);
  const Parameters<float> all = layer.parameters();
  REQUIRE(all.size() == 4);
  CHECK(all[3].name == "offset");
  CHECK(all[3].role == Role::offset);
  CHECK(passes.gradients[3] == std::vector<float>(13 * 4, 0.0f));
  // A weight beyond the end, by a fifth of a step, and its group alone learns its offset.
  all[2].value[5] *= 0.97f;
  const Passes clipped = run_passes(layer, x, grad_y);
  for (std::size_t i = 0; i < 13 * 4; ++i) CHECK((clipped.gradients[3][i] != 0.0f) == (i == 5));
}

TEST_CASE("L4Q: where nothing clips, the adapter's gradient is that of LoRA", "[method]") {
  const Passes l4q = run_passes(L4q(weight.view()), x, grad_y);
  using Lora = QuantLinear<Int<4>, PerGroup<8>, LowRank<4>, Parallel>;
  const Passes lora = run_passes(Lora(weight.view()), x, grad_y);
  CHECK(bits_of(l4q.gradients[0]) == bits_of(lora.gradients[0]));
  CHECK(bits_of(l4q.gradients[1]) == bits_of(lora.gradients[1]));
}

TEST_CASE("L4Q: on frozen scales of rows, LR-QAT with A / s has the same integers", "[method]") {
  // Scales are powers of two, so that dividing by them rounds nothing.
  std::vector<QParams> scales;
  for (int i = 0; i < 13; ++i) scales.push_back({std::ldexp(1.0f, -3 - i % 3)});
  QuantLinear<Offset<Int<4>>, LowRank<4>, WeightDomain, StraightThroughClipFirst> l4q(weight.view(),
                                                                                      scales);
  QuantLinear<Int<4>, LowRank<4>, Dense<float>> lr_qat(weight.view(), scales);
  randomize_adapter(l4q, 0.2f, 4);
  randomize_adapter(lr_qat, 0.2f, 4);
  const auto a = named(lr_qat.parameters(), "A").value;
  for (std::size_t i = 0; i < a.size(); ++i) a[i] /= scales[i / 4].scale;
  const std::vector<int> levels = levels_of(l4q);
  CHECK(levels == levels_of(lr_qat));
  CHECK(std::count(levels.begin(), levels.end(), -8) > 0);
  CHECK(weight_of(l4q).values == weight_of(lr_qat).values);
}

TEST_CASE("L4Q and LSQ+: merged layers have the same bits", "[method]") {
  check_merge<L4q>(13, 29);
  check_merge<method::LsqPlus<3>>(17, 33);
}

TEST_CASE("L4Q: the same bits for any number of threads", "[method]") {
  const MachineSettings restored;
  const auto layer = trained_layer<method::L4q<4, 3, 64>>(300, 600);
  const Matrix many = random_matrix(9, 600, 1.0f, 5), grad = random_matrix(9, 300, 1.0f, 6);
  set_thread_count(1);
  const Passes one = run_passes(layer, many, grad);
  for (const int threads : thread_counts({2, 5})) {
    set_thread_count(threads);
    CHECK(run_passes(layer, many, grad) == one);
  }
}

TEST_CASE("Offsets: another parameterization of the same grid has the same weights", "[method]") {
  const L4q from = trained_layer<L4q>(13, 29);
  using Inside = QuantLinear<Offset<Int<4>>, PerGroup<8>, LowRank<2>, AdapterAndQParams>;
  const Inside to = from.convert_to<Inside>();
  CHECK(levels_of(to) == levels_of(from));
  CHECK(weight_of(to).values == weight_of(from).values);
  CHECK(copy_of(to.weight().offsets()) == copy_of(from.weight().offsets()));
}

TEST_CASE("Offsets: bfloat16 products take the whole weight", "[method]") {
  // Scales per row would be taken out of the product, which offsets forbid.
  using Layer =
      QuantLinear<Offset<Int<4>>, LowRank<2>, WeightDomain, AdapterAndQParams, Compute<bf16>>;
  const Layer layer = trained_layer<Layer>(13, 29);
  const Matrix w = weight_of(layer);
  Matrix y(7, 13);
  layer.forward(x.view(), y.view());
  for (std::size_t t = 0; t < 7; ++t)
    for (std::size_t i = 0; i < 13; ++i) {
      double sum = static_cast<double>(layer.bias()[i]), magnitude = 0;
      for (std::size_t j = 0; j < 29; ++j) {
        const double term = static_cast<double>(x(t, j)) * static_cast<double>(w(i, j));
        sum += term, magnitude += std::fabs(term);
      }
      // Each factor is rounded to 8 bits.
      CHECK(std::fabs(static_cast<double>(y(t, i)) - sum) <= magnitude * 3 * 0x1p-8);
    }
}

TEST_CASE("Offsets: a number that is none is refused", "[method]") {
  using Catch::Matchers::Contains;
  L4q layer(weight.view());
  named(layer.parameters(), "offset").value[3] = NAN;
  CHECK_THROWS_WITH(layer.merge(), Contains("offset 3 is not finite"));
  std::vector<QParams> cells(13 * 4, QParams{0.1f});
  cells[2].offset = INFINITY;
  CHECK_THROWS_WITH(L4q(weight.view(), cells), Contains("offset 2 is not finite"));
}

}  // namespace
}  // namespace lrqat::test::l4q_cases
