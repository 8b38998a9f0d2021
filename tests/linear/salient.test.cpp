// SPDX-License-Identifier: MIT
// tests/linear/salient.test.cpp: salient weights beside each kind of layer, on tiles and threads.
#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/matrix.hpp>

#include <cmath>
#include <vector>

namespace lrqat::test::salient_cases {
namespace {

using Catch::Matchers::Contains;

constexpr std::size_t out = 11, in = 96;
const Matrix weight = random_matrix(out, in, 0.3f, 1);
const WeightSet tenth = salient_by_magnitude(weight.view(), 0.1);

template <class... Others>
using InGroups = method::PbLlm<PerGroup<32>, Others...>;

TEST_CASE("Salient: several tiles, backends and threads, groups and one scale for all",
          "[method]") {
  const Matrix large = random_matrix(270, 300, 0.2f, 11), tall_x = random_matrix(4, 300, 1.0f, 12);
  const Matrix tall_grad = random_matrix(4, 270, 1.0f, 13);
  const WeightSet set = salient_by_magnitude(large.view(), 0.07);
  const auto layer = salient_layer<InGroups<>>(large.view(), set);
  const int threads = thread_count();
  const Passes passes = run_passes(layer, tall_x, tall_grad);
#if defined(_OPENMP)
  set_thread_count(threads == 1 ? 2 : 1);
#endif
  CHECK(run_passes(layer, tall_x, tall_grad) == passes);
  set_thread_count(threads);
  const auto oracle = salient_layer<InGroups<Reference>>(large.view(), set);
  CHECK(weight_of(oracle).values == weight_of(layer).values);
  const Passes wanted = run_passes(oracle, tall_x, tall_grad);
  for (std::size_t n = 0; n < wanted.y.values.size(); ++n)
    CHECK(passes.y.values[n] == Approx(wanted.y.values[n]).margin(1e-4));
  for (std::size_t n = 0; n < large.values.size(); ++n)
    CHECK(passes.gradients[0][n] == Approx(wanted.gradients[0][n]).margin(1e-5));

  double sum = 0;
  for (std::size_t n = 0; n < large.values.size(); ++n)
    if (!set.contains(n / 300, n % 300)) sum += std::fabs(static_cast<double>(large.values[n]));
  const auto tensor = salient_layer<method::PbLlm<PerTensor>>(large.view(), set);
  CHECK(static_cast<double>(tensor.weight().scales()[0]) ==
        Approx(2 * sum / static_cast<double>(large.values.size() - set.size())).epsilon(1e-6));
}

/// G = dL/dW_hat is 1 at one weight alone: there every gradient is that of the layer without
/// salient weights, and none where the weight is one.
template <class... Policies>
void check_beside(const Matrix& w) {
  using Kept = QuantLinear<Salient<>, Policies...>;
  using Plain = QuantLinear<Policies...>;
  QuantOptions options;
  options.alpha = 3;
  auto kept = salient_layer<Kept>(w.view(), tenth, options);
  std::vector<QParams> qparams(kept.weight().layout().size());
  for (std::size_t cell = 0; cell < qparams.size(); ++cell)
    qparams[cell] = kept.weight().used(cell);
  Plain plain(w.view(), qparams, options);
  randomize_adapter(kept, 0.3f, 5);
  randomize_adapter(plain, 0.3f, 5);
  const Matrix kept_hat = weight_of(kept), plain_hat = weight_of(plain);
  std::size_t zeros = 0;
  for (std::size_t i = 0; i < out; ++i)
    for (std::size_t j = 0; j < in; j += 7) {
      const bool salient = tenth.contains(i, j);
      if (!salient) CHECK(kept_hat(i, j) == plain_hat(i, j));
      Matrix one_x(1, in), one_grad(1, out);
      one_x(0, j) = 1;
      one_grad(0, i) = 1;
      const auto of_kept = run_passes(kept, one_x, one_grad).gradients;
      const auto of_plain = run_passes(plain, one_x, one_grad).gradients;
      if (!salient) CHECK(of_kept == of_plain);
      for (const auto& tensor : of_kept)
        for (const float gradient : tensor)
          if (salient) CHECK(gradient == 0.0f);
      zeros += salient;
    }
  CHECK(zeros > 5);
}

TEST_CASE("Salient: beside an adapter inside the rounding, beside a branch, on frozen codes",
          "[method]") {
  check_beside<Int<2>, LowRank<3>>(weight);
  check_beside<UInt<3>, PerGroup<32>, LowRank<3>, Parallel>(weight);
  check_beside<Int<3>, ScaleOnly>(weight);
}

TEST_CASE("Salient: what does not fit is one clear error", "[method]") {
  CHECK_THROWS_WITH(salient_layer<method::PbLlm<>>(weight.view(), WeightSet({out, in + 1})),
                    Contains("a set of (11, 97)"));
  CHECK_THROWS_WITH(salient_layer<method::PbLlm<>>(Matrix(0, 4).view(), WeightSet({0, 4})),
                    Contains("is empty"));
  Matrix broken = weight;
  broken(2, 3) = HUGE_VALF;
  CHECK_THROWS_WITH(salient_layer<method::PbLlm<>>(broken.view(), tenth),
                    Contains("weight (2, 3) is not finite"));
  const AnyLinear any(salient_layer<method::PbLlm<>>(weight.view(), tenth));
  CHECK_THROWS_WITH(any.merge(), Contains("no codes to merge into"));
  CHECK(any.bytes().base > tenth.size() * 5);
}

}  // namespace
}  // namespace lrqat::test::salient_cases
