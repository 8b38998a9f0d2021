// SPDX-License-Identifier: MIT
// tests/kernel/multiply.test.cpp: the product, bit for bit against its definition.
#include <lrqat/kernel/multiply.hpp>

#include <lrqat/core/rng.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace {

using lrqat::MatrixView;
using lrqat::Shape;
using lrqat::kernel::Isa;
using lrqat::kernel::LeftFactor;
using Sizes = std::initializer_list<std::size_t>;

/// Leaves the instruction set as it was.
struct IsaGuard {
  Isa before = lrqat::kernel::active_isa();
  ~IsaGuard() { lrqat::kernel::set_active_isa(before); }
};

/// A matrix inside a larger allocation: wider stride, start off every alignment, and guard values
/// around it that no product may touch.
template <class T>
struct Padded {
  std::vector<T> storage;
  std::size_t rows, cols, stride;
  static constexpr std::size_t offset = 3;

  Padded(std::size_t row_count, std::size_t col_count, std::size_t extra, std::uint64_t seed)
      : storage(offset + row_count * (col_count + extra) + 40),
        rows(row_count),
        cols(col_count),
        stride(col_count + extra) {
    const lrqat::CounterRng random(seed, 0);
    for (std::size_t i = 0; i < storage.size(); ++i) storage[i] = T(random.normal(i));
  }
  MatrixView<T> view() { return {storage.data() + offset, rows, cols, stride}; }
};

/// The definition: one chain a element, old c first, k ascending.
void multiply_by_definition(LeftFactor<float> a, MatrixView<const float> b, MatrixView<float> c) {
  for (std::size_t i = 0; i < c.rows; ++i)
    for (std::size_t j = 0; j < c.cols; ++j)
      for (std::size_t k = 0; k < a.depth; ++k)
        c(i, j) = std::fma(a.data[i * a.row_step + k * a.depth_step], b(k, j), c(i, j));
}

enum class Layout { rows, transposed, sparse };

/// Every element of the allocation, guards included, as bits.
std::vector<std::uint32_t> bits(const std::vector<float>& values) {
  std::vector<std::uint32_t> words;
  for (const float value : values) words.push_back(std::bit_cast<std::uint32_t>(value));
  return words;
}

void check(std::size_t m, std::size_t k, std::size_t n, Layout layout, std::size_t extra) {
  INFO("m " << m << " k " << k << " n " << n << " layout " << int(layout) << " extra " << extra);
  Padded<float> a = layout == Layout::transposed ? Padded<float>(k, m, extra, 1)
                                                 : Padded<float>(m, k * 3, extra, 1);
  LeftFactor<float> factor = lrqat::kernel::left_transposed(a.view());
  if (layout == Layout::rows) factor = lrqat::kernel::left(a.view().block(0, 0, m, k));
  if (layout == Layout::sparse) factor = {a.view().data, m, k, a.stride, 3};
  Padded<float> b(k, n, extra, 2), c(m, n, extra, 3), expected = c;
  Padded<float> expected_alone = c;
  for (std::size_t i = 0; i < m; ++i)
    std::fill_n(expected_alone.view().row(i).data(), n, 0.0f);
  multiply_by_definition(factor, b.view(), expected.view());
  multiply_by_definition(factor, b.view(), expected_alone.view());
  const IsaGuard guard;
  for (const Isa isa : lrqat::kernel::all_isas) {
    if (!lrqat::kernel::machine_has(isa)) continue;
    lrqat::kernel::set_active_isa(isa);
    Padded<float> result = c;
    lrqat::kernel::multiply(factor, b.view(), result.view());
    INFO("isa " << std::string(name(isa)));
    REQUIRE(bits(result.storage) == bits(expected.storage));
    result = c;
    lrqat::kernel::multiply_into(factor, b.view(), result.view());
    REQUIRE(bits(result.storage) == bits(expected_alone.storage));
  }
}

}  // namespace

TEST_CASE("multiply: every instruction set gives the bits of the definition", "[kernel]") {
  for (const std::size_t m : Sizes{0, 1, 2, 3, 5, 6, 7, 8, 13, 14, 15, 16, 17, 29, 31})
    for (const std::size_t n : Sizes{0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64, 65, 127, 129})
      for (const std::size_t k : Sizes{0, 1, 2, 5, 17})
        for (const Layout layout : {Layout::rows, Layout::transposed, Layout::sparse})
          check(m, k, n, layout, (m + n + k) % 3);
}

TEST_CASE("multiply: blocks of the depth and the width keep the bits", "[kernel]") {
  for (const Layout layout : {Layout::rows, Layout::transposed, Layout::sparse}) {
    check(3, 255, 257, layout, 0);
    check(15, 256, 255, layout, 1);
    check(31, 257, 33, layout, 0);
    check(37, 521, 70, layout, 5);
    check(33, 769, 17, layout, 2);
    check(30, 20, 523, layout, 0);
  }
}

TEST_CASE("multiply: copied panels of a widely strided right factor keep the bits", "[kernel]") {
  for (const std::size_t n : Sizes{1, 15, 16, 31, 32, 33, 100, 257, 300})
    for (const Layout layout : {Layout::rows, Layout::transposed}) {
      check(33, 65, n, layout, 1024);
      check(47, 259, n, layout, 1021);
    }
}

TEST_CASE("multiply: infinities, NaN and tiny values follow the definition", "[kernel]") {
  constexpr float special[] = {std::numeric_limits<float>::infinity(),
                               -std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::denorm_min(),
                               std::numeric_limits<float>::max(),
                               -0.0f,
                               0.0f,
                               1.0f,
                               0x1p-70f};
  constexpr std::size_t m = 15, k = 3, n = 37;
  const lrqat::CounterRng random(7, 0);
  std::vector<float> a(m * k), b(k * n), c(m * n);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = special[random.below(8, i)];
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = special[random.below(8, 1000 + i)];
  for (std::size_t i = 0; i < c.size(); ++i) c[i] = special[random.below(8, 2000 + i)];
  std::vector<float> expected = c;
  const auto factor = lrqat::kernel::left(MatrixView<const float>(a.data(), m, k));
  multiply_by_definition(factor, {b.data(), k, n}, {expected.data(), m, n});
  const IsaGuard guard;
  for (const Isa isa : lrqat::kernel::all_isas) {
    if (!lrqat::kernel::machine_has(isa)) continue;
    lrqat::kernel::set_active_isa(isa);
    std::vector<float> result = c;
    lrqat::kernel::multiply(factor, {b.data(), k, n}, {result.data(), m, n});
    for (std::size_t i = 0; i < c.size(); ++i)
      if (std::isnan(expected[i]))
        REQUIRE(std::isnan(result[i]));  // which NaN is not promised
      else
        REQUIRE(std::bit_cast<std::uint32_t>(result[i]) ==
                std::bit_cast<std::uint32_t>(expected[i]));
  }
}

TEST_CASE("multiply: double agrees with long double", "[kernel]") {
  for (const std::size_t m : Sizes{0, 1, 3})
    for (const std::size_t k : Sizes{0, 1, 3, 4, 5, 21})
      for (const std::size_t n : Sizes{0, 1, 15, 16, 17, 35})
        for (const bool transposed : {false, true}) {
          Padded<double> a = transposed ? Padded<double>(k, m, 2, 1) : Padded<double>(m, k, 2, 1);
          Padded<double> b(k, n, 1, 2), c(m, n, 1, 3), before = c;
          const auto factor =
              transposed ? lrqat::kernel::left_transposed(a.view()) : lrqat::kernel::left(a.view());
          lrqat::kernel::multiply(factor, b.view(), c.view());
          for (std::size_t i = 0; i < m; ++i)
            for (std::size_t j = 0; j < n; ++j) {
              long double sum = before.view()(i, j);
              long double size = std::fabs(before.view()(i, j));
              for (std::size_t step = 0; step < k; ++step) {
                const long double product =
                    static_cast<long double>(*factor.at(i, step)) * b.view()(step, j);
                sum += product;
                size += std::fabs(product);
              }
              // k products and k sums, each off by at most 2^-53 of a partial sum.
              const auto bound =
                  static_cast<double>(size) * static_cast<double>(2 * k + 1) * 0x1p-53;
              REQUIRE(std::fabs(static_cast<double>(sum - c.view()(i, j))) <= bound);
            }
        }
}

TEST_CASE("multiply: threads have their own buffers", "[kernel]") {
  Padded<float> a(40, 300, 0, 1), b(300, 50, 1024, 2), c(40, 50, 0, 3), expected = c;
  lrqat::kernel::multiply(lrqat::kernel::left(a.view()), b.view(), expected.view());
  std::vector<Padded<float>> results(4, c);
  std::vector<std::thread> threads;
  for (Padded<float>& result : results)
    threads.emplace_back(
        [&] { lrqat::kernel::multiply(lrqat::kernel::left(a.view()), b.view(), result.view()); });
  for (std::thread& thread : threads) thread.join();
  for (const Padded<float>& result : results)
    REQUIRE(bits(result.storage) == bits(expected.storage));
}

TEST_CASE("multiply: shapes that do not fit are an error with the shapes", "[kernel]") {
  std::vector<float> values(64);
  const auto view = [&](std::size_t rows, std::size_t cols) {
    return MatrixView<float>(values.data(), rows, cols);
  };
  const auto attempt = [&](Shape a, Shape b, Shape c) {
    lrqat::kernel::multiply(lrqat::kernel::left(view(a.rows, a.cols)), view(b.rows, b.cols),
                            view(c.rows, c.cols));
  };
  CHECK_NOTHROW(attempt({2, 3}, {3, 4}, {2, 4}));
  CHECK_THROWS_WITH(attempt({2, 3}, {4, 4}, {2, 4}),
                    "multiply: a is (2, 3), b is (4, 4), c is (2, 4)");
  CHECK_THROWS_AS(attempt({2, 3}, {3, 4}, {3, 4}), lrqat::Error);
  CHECK_THROWS_AS(attempt({2, 3}, {3, 4}, {2, 5}), lrqat::Error);
}
