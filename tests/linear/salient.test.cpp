// SPDX-License-Identifier: MIT
// tests/linear/salient.test.cpp: salient weights beside each kind of layer, on tiles and threads.
#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/exact_product.hpp>
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
  const Matrix w_hat = weight_of(layer), columns_of_x = transposed(tall_x);
  const Matrix columns_of_grad = transposed(tall_grad);
  for (const Passes& each : {passes, wanted}) {
    CHECK(far_from_product(tall_x, w_hat, each.y) == 0);
    CHECK(far_from_product(tall_grad, transposed(w_hat), each.grad_x) == 0);
    std::size_t far = 0;
    for (std::size_t n = 0; n < large.values.size(); ++n) {
      const ExactSum gradient =
          exact_dot(columns_of_grad.view().row(n / 300), columns_of_x.view().row(n % 300));
      const float found = each.gradients[0][n];
      far += set.contains(n / 300, n % 300) ? found != 0.0f : !gradient.is_near(double{found});
    }
    CHECK(far == 0);
  }

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

/// On a layer of a row with one large salient weight, and of the same row with 0 there.
template <class A, class T>
void check_scale_of_others() {
  using Layer = QuantLinear<UInt<4>, A, WeightDomain, T>;
  using Kept = QuantLinear<UInt<4>, A, WeightDomain, T, Salient<>>;
  const Matrix row(1, 5, {0.25f, -0.5f, 5.0f, 0.125f, -0.25f});
  Matrix others = row;
  others(0, 2) = 0.0f;
  const WeightSet set({1, 5}, [](std::size_t, std::size_t j) { return j == 2; });
  const auto kept = salient_layer<Kept>(row.view(), set);
  const Layer plain(others.view()), whole(row.view());
  CHECK(kept.weight().used_scale(0) == plain.weight().used_scale(0));
  CHECK(kept.weight().used(0).zero_point == plain.weight().used(0).zero_point);
  CHECK(kept.weight().used_scale(0) < whole.weight().used_scale(0) / 6);  // 0.75 against 5.5
  const Matrix w_hat = weight_of(kept), w_plain = weight_of(plain);
  for (std::size_t j = 0; j < 5; ++j) CHECK(w_hat(0, j) == (j == 2 ? 5.0f : w_plain(0, j)));
}

TEST_CASE("Salient: scales and clipped ranges are those of the other weights", "[method]") {
  check_scale_of_others<NoAdapter, ClipsOnly>();
  check_scale_of_others<NoAdapter, ScaleOnly>();
  check_scale_of_others<FullRank, MeasuredScale>();
}

TEST_CASE("Salient: a weight as large as the range's end does not take the end's gradient",
          "[method]") {
  using Tied = QuantLinear<UInt<4>, FullRank, WeightDomain, AdapterAndClips, Salient<>>;
  const Matrix row(1, 4, {1.0f, 0.25f, 1.0f, -0.375f}), x(1, 4, 1.0f), grad_y(1, 1, 1.0f);
  const WeightSet none({1, 4});
  const WeightSet first({1, 4}, [](std::size_t, std::size_t j) { return j == 0; });
  const auto gradient = [&](const auto& layer) {
    return run_passes(layer, x, grad_y).gradients[0];
  };
  const std::vector<float> plain = gradient(salient_layer<Tied>(row.view(), none));
  const std::vector<float> kept = gradient(salient_layer<Tied>(row.view(), first));
  REQUIRE((plain.size() == 4 && kept.size() == 4));
  CHECK(plain[0] != plain[2]);  // the first has the end's
  Matrix without = row;
  without(0, 0) = 0.0f;
  using Alone = QuantLinear<UInt<4>, FullRank, WeightDomain, AdapterAndClips>;
  const std::vector<float> wanted = gradient(Alone(without.view()));
  CHECK(kept[0] == 0.0f);
  for (std::size_t j = 1; j < 4; ++j) CHECK(kept[j] == wanted[j]);
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
