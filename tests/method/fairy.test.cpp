// SPDX-License-Identifier: MIT
// tests/method/fairy.test.cpp: complex weights on fourth roots of unity.
#include <lrqat/method/fairy.hpp>

#include <lrqat/backend/parallel_for.hpp>
#include <lrqat/backend/reference.hpp>
#include <lrqat/granularity/per_channel.hpp>
#include <lrqat/linear/any_linear.hpp>

#include <catch2/catch.hpp>
#include <support/exact_product.hpp>
#include <support/matrix.hpp>

#include <algorithm>
#include <cmath>
#include <complex>
#include <utility>
#include <vector>

namespace lrqat::test::fairy_cases {
namespace {

using Catch::Matchers::Contains;
using Complex = std::complex<double>;
using Alone = method::IFairy<NoInput>;
template <std::size_t Stages, class B = Cpu>
using Both =
    ComplexLinear<ComplexWeight<Stages, PerChannel, DirectForm, ConjugateForm>, NoInput, B>;

static_assert(LinearLayer<Alone> && LinearLayer<method::Fairy2i<2>>);
static_assert(Complex4::code(1, 0) == 0 && Complex4::code(0, 1) == 1 &&
              Complex4::code(-1, 0) == 2 && Complex4::code(0, -1) == 3);
// Each quarter turn has its lower end.
static_assert(Complex4::code(1, -1) == 0 && Complex4::code(1, 1) == 1 &&
              Complex4::code(-1, 1) == 2 && Complex4::code(-1, -1) == 3);
static_assert(Complex4::code(0, 0) == 0 && Complex4::code(-0.0f, 0) == 0);

// 2 * 7 outputs and 2 * 9 inputs; complex weights as rows of pairs.
constexpr std::size_t fairy_out = 7, fairy_in = 9, fairy_tokens = 5;
const Matrix parts = random_matrix(fairy_out, 2 * fairy_in, 0.3f, 1);
const Matrix fairy_x = random_matrix(fairy_tokens, 2 * fairy_in, 1.0f, 2);
const Matrix fairy_grad = random_matrix(fairy_tokens, 2 * fairy_out, 1.0f, 3);

Complex at(const Matrix& pairs, std::size_t i, std::size_t j) {
  return {static_cast<double>(pairs(i, 2 * j)), static_cast<double>(pairs(i, 2 * j + 1))};
}
/// What a block of the real weight does to 1, which is the complex weight of its form.
Complex quantized(const Matrix& w_hat, std::size_t i, std::size_t j) {
  return {static_cast<double>(w_hat(2 * i, 2 * j)), static_cast<double>(w_hat(2 * i + 1, 2 * j))};
}
Matrix turned(Matrix pairs) {
  for (std::size_t n = 0; n < pairs.values.size(); n += 2) {
    std::swap(pairs.values[n], pairs.values[n + 1]);
    pairs.values[n] = -pairs.values[n];
  }
  return pairs;
}

TEST_CASE("iFairy: one part of each weight is left, the nearest root in phase, on two mean scales",
          "[method]") {
  const Alone layer({parts.view()});
  const Matrix w_hat = weight_of(layer);
  double real = 0, imaginary = 0, reals = 0;
  for (std::size_t i = 0; i < fairy_out; ++i)
    for (std::size_t j = 0; j < fairy_in; ++j) {
      const Complex q = quantized(w_hat, i, j), w = at(parts, i, j);
      CHECK(((q.real() == 0) != (q.imag() == 0)));
      CHECK(std::fabs(std::arg(w / q)) <= std::atan(1.0) * (1 + 1e-6));
      const bool is_real = q.imag() == 0;
      (is_real ? real : imaginary) += std::fabs(is_real ? w.real() : w.imag());
      reals += is_real;
    }
  const ComplexScales scales = layer.weight().scales(0)[0];
  CHECK(static_cast<double>(scales.real) == Approx(real / reals));
  CHECK(static_cast<double>(scales.imaginary) ==
        Approx(imaginary / (fairy_out * fairy_in - reals)));

  // A turn of the weights by i turns the roots and exchanges the scales.
  const Alone other({turned(parts).view()});
  CHECK(other.weight().scales(0)[0].real == scales.imaginary);
  CHECK(other.weight().scales(0)[0].imaginary == scales.real);
  const Matrix turned_hat = weight_of(other);
  for (std::size_t i = 0; i < fairy_out; ++i)
    for (std::size_t j = 0; j < fairy_in; ++j)
      CHECK(quantized(turned_hat, i, j) == Complex(0, 1) * quantized(w_hat, i, j));
}

/// A sum of complex products, each part of it a sum of real ones.
struct ComplexSum {
  ExactSum re, im;
  void add(Complex a, Complex b) {
    re.add(a.real(), b.real()), re.add(-a.imag(), b.imag());
    im.add(a.real(), b.imag()), im.add(a.imag(), b.real());
  }
  bool is_near(Complex found) const { return re.is_near(found.real()) && im.is_near(found.imag()); }
};

/// Outputs and gradients against std::complex, for the form that conjugates x or not.
template <class Form>
void check_passes() {
  const ComplexLinear<ComplexWeight<1, PerTensor, Form>> layer({parts.view()});
  constexpr bool conjugates = std::is_same_v<Form, ConjugateForm>;
  const Matrix w_hat = weight_of(layer);
  const Passes passes = run_passes(layer, fairy_x, fairy_grad);
  const auto seen = [&](std::size_t t, std::size_t j) {
    return conjugates ? std::conj(at(fairy_x, t, j)) : at(fairy_x, t, j);
  };
  for (std::size_t t = 0; t < fairy_tokens; ++t) {
    for (std::size_t i = 0; i < fairy_out; ++i) {
      ComplexSum sum;
      for (std::size_t j = 0; j < fairy_in; ++j) sum.add(quantized(w_hat, i, j), seen(t, j));
      CHECK(sum.is_near(at(passes.y, t, i)));
    }
    // With g = dL/d re y + i dL/d im y: dL/dx of w x is conj(w) g, of w conj(x) w conj(g).
    for (std::size_t j = 0; j < fairy_in; ++j) {
      ComplexSum sum;
      for (std::size_t i = 0; i < fairy_out; ++i) {
        const Complex g = at(fairy_grad, t, i), w = quantized(w_hat, i, j);
        conjugates ? sum.add(w, std::conj(g)) : sum.add(std::conj(w), g);
      }
      CHECK(sum.is_near(at(passes.grad_x, t, j)));
    }
  }
  const Matrix gradient(fairy_out, 2 * fairy_in, passes.gradients[0]);
  for (std::size_t i = 0; i < fairy_out; ++i)
    for (std::size_t j = 0; j < fairy_in; ++j) {
      ComplexSum sum;
      for (std::size_t t = 0; t < fairy_tokens; ++t)
        sum.add(at(fairy_grad, t, i), std::conj(seen(t, j)));
      CHECK(sum.is_near(at(gradient, i, j)));
    }
}

TEST_CASE("ComplexLinear: W x and W conj(x) as std::complex has them, gradients straight through",
          "[method]") {
  check_passes<DirectForm>();
  check_passes<ConjugateForm>();
}

RealBlock block_of(const Matrix& w, std::size_t i, std::size_t j) {
  return {w(2 * i, 2 * j), w(2 * i, 2 * j + 1), w(2 * i + 1, 2 * j), w(2 * i + 1, 2 * j + 1)};
}

TEST_CASE("widely_linear: two complex weights are the real one, exactly where sums are exact",
          "[method]") {
  Matrix real = random_matrix(6, 10, 1.0f, 5);
  for (std::size_t n = 0; n < 20; ++n)
    real.values[n] = static_cast<float>(static_cast<int>(n * 7 % 11) - 5);
  real(5, 9) = 1e20f;
  const WidelyLinear both = widely_linear(real.view());
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 5; ++j) {
      const auto u = both.direct_weight(), v = both.conjugate_weight();
      const RealBlock sum = detail::sum_of(DirectForm::block({u(i, 2 * j), u(i, 2 * j + 1)}),
                                           ConjugateForm::block({v(i, 2 * j), v(i, 2 * j + 1)}));
      const RealBlock wanted = block_of(real, i, j);
      const float diagonal = (std::fabs(wanted.rr) + std::fabs(wanted.ii)) * 0x1p-23f;
      const float other = (std::fabs(wanted.ri) + std::fabs(wanted.ir)) * 0x1p-23f;
      CHECK(std::fabs(sum.rr - wanted.rr) <= (i == 0 ? 0.0f : diagonal));
      CHECK(std::fabs(sum.ii - wanted.ii) <= (i == 0 ? 0.0f : diagonal));
      CHECK(std::fabs(sum.ri - wanted.ri) <= (i == 0 ? 0.0f : other));
      CHECK(std::fabs(sum.ir - wanted.ir) <= (i == 0 ? 0.0f : other));
    }
  CHECK_THROWS_WITH(widely_linear(Matrix(3, 4).view()), Contains("(3, 4), both must be even"));
  CHECK_THROWS_WITH(widely_linear(Matrix(0, 4).view()), Contains("(0, 4)"));
}

double squared(const Matrix& a) {
  double sum = 0;
  for (const float value : a.values) sum += std::pow(static_cast<double>(value), 2);
  return sum;
}
Matrix difference(Matrix a, const Matrix& b) {
  for (std::size_t n = 0; n < a.values.size(); ++n) a.values[n] -= b.values[n];
  return a;
}
/// Mean scales are the best for their codes, so that a stage is a projection: what it leaves is at
/// right angles to it. An entry has up to 5 roundings of 2^-24 on its way (its parts in both forms,
/// a scale, the sum of forms, the difference), each of no more than twice its part of the norm, and
/// counts twice in a square.
void check_projection(const Matrix& w, const Matrix& stage) {
  CHECK(squared(difference(w, stage)) ==
        Approx(squared(w) - squared(stage)).margin(5 * 2 * 2 * 0x1p-24 * squared(w)));
}

TEST_CASE("Fairy2i: each stage rounds what is left, and merged codes have the layer's bits",
          "[method]") {
  const Matrix real = random_matrix(38, 66, 0.2f, 7);
  const auto one = widely_linear_layer<Both<1>>(real.view());
  const auto two = widely_linear_layer<Both<2>>(real.view());
  const Matrix first = weight_of(one), second = weight_of(two);
  // What the second stage adds is the first stage of the rest: numbers of up to twice the largest
  // entry, and 8 roundings on the two ways to it (of the rest, the parts in both forms, a scale,
  // and the sums of stages and forms).
  const Matrix rest = difference(real, first);
  const Matrix of_rest = weight_of(widely_linear_layer<Both<1>>(rest.view()));
  float largest = 0;
  for (const float value : real.values) largest = std::max(largest, std::fabs(value));
  for (std::size_t n = 0; n < rest.values.size(); ++n)
    CHECK(std::fabs(second.values[n] - (first.values[n] + of_rest.values[n])) <=
          8 * 0x1p-24f * 2 * largest);
  check_projection(real, first);
  check_projection(rest, of_rest);
  CHECK(squared(difference(real, second)) < squared(rest));

  const auto merged = two.merge();
  CHECK(bits_of(weight_of(merged).values) == bits_of(second.values));
  const Matrix x = random_matrix(4, 66, 1.0f, 8);
  Matrix y(4, 38), merged_y(4, 38);
  two.forward(x.view(), y.view());
  merged.forward(x.view(), merged_y.view());
  CHECK(bits_of(merged_y.values) == bits_of(y.values));
  // 2 forms, 2 stages, 19 rows of 33 weights at 4 a byte; 2 scales for each row.
  CHECK(merged.bytes().base == 2 * 2 * 19 * 9);
  CHECK(merged.bytes().scales == 2 * 2 * 19 * 2 * sizeof(float));
  AnyLinear any(two);
  CHECK(any.merge().bytes().base == merged.bytes().base);
}

TEST_CASE("ComplexLinear: several tiles, threads and the reference agree", "[method]") {
  const Matrix real = random_matrix(270, 300, 0.2f, 11), x = random_matrix(3, 300, 1.0f, 12);
  const Matrix grad_y = random_matrix(3, 270, 1.0f, 13);
  const auto layer = widely_linear_layer<Both<1>>(real.view());
  const auto oracle = widely_linear_layer<Both<1, Reference>>(real.view());
  const Passes passes = run_passes(layer, x, grad_y), wanted = run_passes(oracle, x, grad_y);
  const int threads = thread_count();
#if defined(_OPENMP)
  set_thread_count(threads == 1 ? 2 : 1);
#endif
  CHECK(run_passes(layer, x, grad_y) == passes);
  set_thread_count(threads);
  CHECK(weight_of(oracle).values == weight_of(layer).values);
  const Matrix w_hat = weight_of(layer);
  REQUIRE(passes.gradients.size() == 2);
  for (const Passes& each : {passes, wanted}) {
    CHECK(far_from_product(x, w_hat, each.y) == 0);
    CHECK(far_from_product(grad_y, transposed(w_hat), each.grad_x) == 0);
    const Matrix of_direct(135, 300, each.gradients[0]), of_conjugate(135, 300, each.gradients[1]);
    std::size_t far = 0;
    for (std::size_t i = 0; i < 135; ++i)
      for (std::size_t j = 0; j < 150; ++j) {
        ComplexSum direct, conjugate;
        for (std::size_t t = 0; t < 3; ++t) {
          direct.add(at(grad_y, t, i), std::conj(at(x, t, j)));
          conjugate.add(at(grad_y, t, i), at(x, t, j));
        }
        far += !direct.is_near(at(of_direct, i, j));
        far += !conjugate.is_near(at(of_conjugate, i, j));
      }
    CHECK(far == 0);
  }
}

TEST_CASE("ComplexLinear: scales follow a step, and are never below their floor", "[method]") {
  Alone layer({parts.view()});
  const ComplexScales before = layer.weight().scales(0)[0];
  Parameters<float> trained = layer.parameters();
  REQUIRE(trained.size() == 1);
  CHECK(trained[0].name == "conjugate");
  for (float& value : trained[0].value) value *= 2;
  layer.after_step();
  CHECK(layer.weight().scales(0)[0].real == 2 * before.real);
  CHECK(layer.weight().scales(0)[0].imaginary == 2 * before.imaginary);
  for (float& value : trained[0].value) value = 0;
  layer.after_step();
  CHECK(layer.weight().scales(0)[0].real == complex_scale_floor);
  CHECK(layer.weight().scales(0)[0].imaginary == complex_scale_floor);
  trained[0].value[2 * fairy_in + 3] = std::nanf("");
  CHECK_THROWS_WITH(layer.after_step(), Contains("weight (1, 1) is not finite"));
  CHECK_THROWS_WITH(layer.merge(), Contains("weight (1, 1) is not finite"));
}

TEST_CASE("ComplexInput: each part of a token has a scale of its own", "[method]") {
  using Part = SymmetricInput<8>;
  Matrix re(1, fairy_in), im(1, fairy_in), joined(1, 2 * fairy_in), ones(1, 2 * fairy_in, 1.0f);
  for (std::size_t j = 0; j < fairy_in; ++j)
    re(0, j) = fairy_x(0, 2 * j), im(0, j) = 100 * fairy_x(0, 2 * j + 1);
  Matrix token(1, 2 * fairy_in);
  for (std::size_t j = 0; j < fairy_in; ++j)
    token(0, 2 * j) = re(0, j), token(0, 2 * j + 1) = im(0, j);
  ComplexInput<Part>::forward(token.view().row(0), joined.view().row(0));
  Part::forward(re.view().row(0), re.view().row(0));
  Part::forward(im.view().row(0), im.view().row(0));
  for (std::size_t j = 0; j < fairy_in; ++j) {
    CHECK(joined(0, 2 * j) == re(0, j));
    CHECK(joined(0, 2 * j + 1) == im(0, j));
  }
  std::vector<float> odd(7, 1.0f), odd_grad(7);
  CHECK_THROWS_WITH(ComplexInput<Part>::forward(odd, odd), Contains("ComplexInput: a token of 7"));
  CHECK_THROWS_WITH(ComplexInput<Part>::backward(odd, odd_grad), Contains("even count"));
  ComplexInput<Part>::backward(token.view().row(0), ones.view().row(0));
  CHECK(ones.values == std::vector<float>(2 * fairy_in, 1.0f));  // nothing is clipped
  const method::IFairy<> quantizes({parts.view()});
  const Alone plain({parts.view()});
  Matrix y(1, 2 * fairy_out), wanted(1, 2 * fairy_out);
  quantizes.forward(token.view(), y.view());
  plain.forward(joined.view(), wanted.view());
  CHECK(y.values == wanted.values);
}

TEST_CASE("ComplexLinear: one clear error for each thing that does not fit", "[method]") {
  CHECK_THROWS_WITH(Alone({Matrix(3, 5).view()}), Contains("an even width is needed"));
  CHECK_THROWS_WITH(Alone({Matrix(0, 4).view()}), Contains("(0, 4)"));
  CHECK_THROWS_WITH((Both<1>({Matrix(3, 4).view(), Matrix(2, 4).view()})), Contains("(2, 4)"));
  Alone layer({parts.view()});
  Matrix narrow(2, 2 * fairy_in - 2), y(2, 2 * fairy_out), x(2, 2 * fairy_in);
  CHECK_THROWS_WITH(layer.forward(narrow.view(), y.view()), Contains("x is (2, 16)"));
  CHECK_THROWS_WITH(layer.backward(x.view(), y.view(), narrow.view()),
                    Contains("grad_x is (2, 16)"));
  CHECK_THROWS_WITH(layer.merge().forward(narrow.view(), y.view()), Contains("x is (2, 16)"));
}

}  // namespace
}  // namespace lrqat::test::fairy_cases
