// SPDX-License-Identifier: MIT
// tests/backend/checks.hpp: a backend against Reference over awkward shapes, threads, instruction
// sets.
#ifndef LRQAT_TESTS_BACKEND_CHECKS_HPP
#define LRQAT_TESTS_BACKEND_CHECKS_HPP

#include <lrqat/backend/reference.hpp>
#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <cmath>

namespace lrqat::test {

struct Sizes {
  std::size_t out, in, tokens;
};

/// Each of the awkward lengths in every place, without all of their products.
inline std::vector<Sizes> awkward_sizes() {
  const std::vector<std::size_t> lengths{1, 2, 15, 16, 17, 31, 33, 63, 64, 65, 127, 512, 513};
  const std::vector<std::size_t> tokens{0, 1, 7, 513};
  std::vector<Sizes> all;
  for (std::size_t i = 0; i < lengths.size(); ++i)
    for (std::size_t k = 0; k < lengths.size(); ++k) {
      const std::size_t count = tokens[(i + k) % tokens.size()];
      // 513 tokens, and all pairs, only where the reference stays quick.
      const std::size_t size = lengths[i] * lengths[k];
      if (size > 40000 && (i + k) % 3 != 0) continue;
      all.push_back({lengths[i], lengths[k], size > 4500 && count == 513 ? 7 : count});
    }
  all.push_back({512, 513, 33});
  all.push_back({600, 40, 7});    // more than 8 row tiles of 64
  all.push_back({33, 1100, 3});   // several column blocks and several forward tiles
  all.push_back({40, 24, 1030});  // tokens cut in pieces
  return all;
}

/// The largest |a - b| over a bound of rounding alone: `terms` roundings of a sum of `magnitude`.
struct Bound {
  double terms;
  double of(double magnitude) const { return terms * 0x1p-24 * magnitude; }
};

/// y and dx of the layer, and sums of the magnitudes of their terms, in double.
struct Magnitudes {
  std::vector<double> y, dx;
};

inline Magnitudes magnitudes(const Matrix& weight, const Matrix& x, const Matrix& grad_y) {
  Magnitudes sums{std::vector<double>(x.rows * weight.rows),
                  std::vector<double>(x.rows * weight.cols)};
  for (std::size_t t = 0; t < x.rows; ++t)
    for (std::size_t i = 0; i < weight.rows; ++i)
      for (std::size_t j = 0; j < weight.cols; ++j) {
        const double w = std::fabs(static_cast<double>(weight(i, j)));
        sums.y[t * weight.rows + i] += w * std::fabs(static_cast<double>(x(t, j)));
        sums.dx[t * weight.cols + j] += w * std::fabs(static_cast<double>(grad_y(t, i)));
      }
  return sums;
}

inline void check_within(const std::vector<float>& got, const std::vector<float>& reference,
                         const std::vector<double>& magnitude, Bound bound) {
  REQUIRE(got.size() == reference.size());
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < got.size(); ++i)
    wrong += !(std::fabs(static_cast<double>(got[i]) - static_cast<double>(reference[i])) <=
               bound.of(magnitude[i]));
  CHECK(wrong == 0);
}

template <class Layer>
Layer layer_of(const Sizes& sizes) {
  const Matrix weight = random_matrix(sizes.out, sizes.in, 0.1f, sizes.out * 1000 + sizes.in);
  Layer layer(weight.view());
  randomize_adapter(layer, 0.5f, 17);
  return layer;
}

/// Both passes and the levels, within the bounds of rounding alone.
template <class Backend>
void check_as_reference() {
  for (const Sizes& sizes : awkward_sizes()) {
    INFO("out " << sizes.out << ", in " << sizes.in << ", tokens " << sizes.tokens);
    const auto layer =
        layer_of<QuantLinear<Int<4>, PerChannel, FixedPoint, LowRank<3>, Backend>>(sizes);
    const auto reference =
        layer_of<QuantLinear<Int<4>, PerChannel, FixedPoint, LowRank<3>, Reference>>(sizes);
    const Matrix x = random_matrix(sizes.tokens, sizes.in, 1.0f, 5);
    const Matrix grad_y = random_matrix(sizes.tokens, sizes.out, 1.0f, 6);
    CHECK(levels_of(layer) == levels_of(reference));
    const Passes got = run_passes(layer, x, grad_y), expected = run_passes(reference, x, grad_y);
    const Matrix weight = weight_of(reference);
    const Magnitudes sums = magnitudes(weight, x, grad_y);
    // One rounding a term at most, in whatever order, and one in the end on Reference.
    check_within(got.y.values, expected.y.values, sums.y, {static_cast<double>(sizes.in) + 1});
    check_within(got.grad_x.values, expected.grad_x.values, sums.dx,
                 {static_cast<double>(sizes.out) + 1});

    // G = dy^T x is a sum over tokens; every gradient sums it times a level or a factor again.
    std::vector<double> gradient_sums(sizes.out * sizes.in);
    for (std::size_t t = 0; t < sizes.tokens; ++t)
      for (std::size_t i = 0; i < sizes.out; ++i)
        for (std::size_t j = 0; j < sizes.in; ++j)
          gradient_sums[i * sizes.in + j] +=
              std::fabs(static_cast<double>(grad_y(t, i)) * static_cast<double>(x(t, j)));
    auto copy = layer;
    const auto a = named(copy.parameters(), "A").value, b = named(copy.parameters(), "B").value;
    const double gain = static_cast<double>(copy.weight().adapter().gain());
    std::vector<double> da(a.size()), db(b.size()), ds(sizes.out);
    for (std::size_t i = 0; i < sizes.out; ++i)
      for (std::size_t j = 0; j < sizes.in; ++j) {
        const double g = gradient_sums[i * sizes.in + j];
        const double s = static_cast<double>(copy.weight().used_scale(i));
        ds[i] += g * std::fabs(static_cast<double>(weight(i, j))) / s;
        for (std::size_t k = 0; k < 3; ++k) {
          da[i * 3 + k] += gain * s * g * std::fabs(static_cast<double>(b[k * sizes.in + j]));
          db[k * sizes.in + j] += gain * s * g * std::fabs(static_cast<double>(a[i * 3 + k]));
        }
      }
    const auto tokens = static_cast<double>(sizes.tokens);
    // Both sum G's terms and what comes after in float, each term rounded up to four times more.
    const auto in = static_cast<double>(sizes.in), out = static_cast<double>(sizes.out);
    check_within(got.gradients[0], expected.gradients[0], da, {tokens + 2 * in + 8});
    check_within(got.gradients[1], expected.gradients[1], db, {tokens + 2 * out + 8});
    check_within(got.gradients[2], expected.gradients[2], ds, {tokens + 2 * in + 8});
  }
}

template <class Layer>
void check_threads(const Sizes& sizes) {
  const MachineSettings restored;
  const Layer layer = layer_of<Layer>(sizes);
  const Matrix x = random_matrix(sizes.tokens, sizes.in, 1.0f, 5);
  const Matrix grad_y = random_matrix(sizes.tokens, sizes.out, 1.0f, 6);
  set_thread_count(1);
  const Passes alone = run_passes(layer, x, grad_y);
  for (const int threads : thread_counts({2, 3, 7})) {
    INFO(threads << " threads, out " << sizes.out << ", in " << sizes.in);
    set_thread_count(threads);
    CHECK(run_passes(layer, x, grad_y) == alone);
  }
}

/// The bits of both passes with 1, 2, 3 and 7 threads.
template <class Backend>
void check_any_number_of_threads() {
  for (const Sizes& sizes :
       {Sizes{1, 1, 1}, Sizes{17, 33, 7}, Sizes{65, 513, 9}, Sizes{600, 127, 5}, Sizes{33, 1100, 3},
        Sizes{40, 24, 1030}, Sizes{48, 600, 1}, Sizes{15, 63, 0}}) {
    check_threads<QuantLinear<Int<4>, PerChannel, FixedPoint, LowRank<3>, Backend>>(sizes);
    check_threads<QuantLinear<UInt<3>, PerTensor, Packed, LowRank<2>, Input<UInt<8>>, Backend>>(
        sizes);
  }
  // Groups that lie inside of column blocks, and some that reach into two.
  for (const Sizes& sizes : {Sizes{65, 513, 9}, Sizes{33, 1100, 3}, Sizes{300, 512, 40}}) {
    check_threads<QuantLinear<Int<4>, PerGroup<32>, FixedPoint, LowRank<3>, Backend>>(sizes);
    check_threads<QuantLinear<Int<3>, PerGroup<48>, Packed, ScaleOnly, Backend>>(sizes);
  }
}

/// Integers and the bits of both passes, whatever the library's own kernels run on.
template <class Backend>
void check_every_instruction_set() {
  const MachineSettings restored;
  for (const Sizes& sizes : {Sizes{17, 33, 7}, Sizes{65, 513, 9}, Sizes{127, 64, 31}}) {
    using Layer = QuantLinear<Int<4>, PerChannel, FixedPoint, LowRank<3>, Backend>;
    const Matrix x = random_matrix(sizes.tokens, sizes.in, 1.0f, 5);
    const Matrix grad_y = random_matrix(sizes.tokens, sizes.out, 1.0f, 6);
    kernel::set_active_isa(kernel::Isa::scalar);
    const auto layer = layer_of<Layer>(sizes);
    const auto levels = levels_of(layer);
    const Passes passes = run_passes(layer, x, grad_y);
    for (const kernel::Isa isa : isas_of_machine()) {
      INFO(isa_name(isa));
      kernel::set_active_isa(isa);
      CHECK(levels_of(layer) == levels);
      const auto made_here = layer_of<Layer>(sizes);
      const auto base = layer.weight().base(), base_here = made_here.weight().base();
      CHECK(std::equal(base.begin(), base.end(), base_here.begin(), base_here.end()));
      const Passes got = run_passes(layer, x, grad_y);
      CHECK(bits_of(got.y.values) == bits_of(passes.y.values));
      CHECK(bits_of(got.grad_x.values) == bits_of(passes.grad_x.values));
    }
  }
}

/// Views with a stride are read and written in place.
template <class Backend>
void check_strides() {
  const Sizes sizes{19, 45, 6};
  const auto layer = layer_of<QuantLinear<Int<4>, LowRank<2>, Backend>>(sizes);
  const Matrix x = random_matrix(6, 45, 1.0f, 5), grad_y = random_matrix(6, 19, 1.0f, 6);
  const Passes packed = run_passes(layer, x, grad_y);

  Matrix wide_x(6, 50, 1e9f), wide_gy(6, 20, 1e9f), wide_y(6, 23, 4.0f), wide_gx(6, 47, 4.0f);
  for (std::size_t t = 0; t < 6; ++t) {
    std::copy_n(x.view().row(t).data(), 45, wide_x.view().row(t).data() + 2);
    std::copy_n(grad_y.view().row(t).data(), 19, wide_gy.view().row(t).data() + 1);
  }
  auto copy = layer;
  copy.forward(wide_x.view().block(0, 2, 6, 45), wide_y.view().block(0, 3, 6, 19));
  copy.backward(wide_x.view().block(0, 2, 6, 45), wide_gy.view().block(0, 1, 6, 19),
                wide_gx.view().block(0, 1, 6, 45));
  for (std::size_t t = 0; t < 6; ++t) {
    CHECK(bits_of(wide_y.view().row(t).subspan(3, 19)) == bits_of(packed.y.view().row(t)));
    CHECK(bits_of(wide_gx.view().row(t).subspan(1, 45)) == bits_of(packed.grad_x.view().row(t)));
    CHECK((wide_y(t, 2) == 4.0f && wide_y(t, 22) == 4.0f));
    CHECK((wide_gx(t, 0) == 4.0f && wide_gx(t, 46) == 4.0f));
  }
}

/// backward adds to gradients and overwrites grad_x.
template <class Backend>
void check_accumulation() {
  auto layer = layer_of<QuantLinear<Int<4>, LowRank<2>, Backend>>({10, 20, 0});
  const Matrix x = random_matrix(3, 20, 1.0f, 5), grad_y = random_matrix(3, 10, 1.0f, 6);
  const Passes once = run_passes(layer, x, grad_y);
  Matrix grad_x(3, 20, 99.0f);
  layer.zero_gradients();
  layer.backward(x.view(), grad_y.view(), grad_x.view());
  layer.backward(x.view(), grad_y.view(), grad_x.view());
  CHECK(grad_x.values == once.grad_x.values);
  for (std::size_t p = 0; p < once.gradients.size(); ++p)
    for (std::size_t i = 0; i < once.gradients[p].size(); ++i)
      CHECK(layer.parameters()[p].gradient[i] == 2.0f * once.gradients[p][i]);
}

}  // namespace lrqat::test

#endif  // LRQAT_TESTS_BACKEND_CHECKS_HPP
