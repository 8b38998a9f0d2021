// SPDX-License-Identifier: MIT
// tests/backend/onednn.test.cpp: OneDnn against Reference and Cpu, and its products alone.
#include <lrqat/backend/onednn.hpp>

#include <backend/checks.hpp>

#include <limits>

namespace lrqat::test {
namespace {

using detail::OneDnnProducts;

/// a (m, k) with these steps times b (k, n), added to c or in its place, against sums in double.
void check_product(std::size_t m, std::size_t k, std::size_t n, std::size_t row_step,
                   std::size_t depth_step, bool overwrites) {
  INFO("(" << m << ", " << k << ") by (" << k << ", " << n << "), steps " << row_step << " and "
           << depth_step << (overwrites ? ", overwritten" : ", added"));
  constexpr std::size_t pad = 3;
  const Matrix a_values = random_matrix(1, m * row_step + k * depth_step + 1, 1.0f, 1);
  const Matrix b = random_matrix(k, n + pad, 1.0f, 2), before = random_matrix(m, n + pad, 1.0f, 3);
  const kernel::LeftFactor<float> a{a_values.values.data(), m, k, row_step, depth_step};
  Matrix c = before;
  if (overwrites) {
    for (std::size_t i = 0; i < m; ++i)
      std::fill_n(c.view().row(i).data(), n, std::numeric_limits<float>::quiet_NaN());
    OneDnnProducts::multiply_into(a, b.view().block(0, 0, k, n), c.view().block(0, 0, m, n));
  } else {
    OneDnnProducts::multiply(a, b.view().block(0, 0, k, n), c.view().block(0, 0, m, n));
  }
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      double sum = overwrites ? 0 : static_cast<double>(before(i, j)), size = std::fabs(sum);
      for (std::size_t d = 0; d < k; ++d) {
        const double term = static_cast<double>(*a.at(i, d)) * static_cast<double>(b(d, j));
        sum += term;
        size += std::fabs(term);
      }
      // A term is rounded once by itself and at most in each of the k sums.
      wrong += !(std::fabs(static_cast<double>(c(i, j)) - sum) <=
                 static_cast<double>(k + 1) * 0x1p-24 * size);
    }
    for (std::size_t j = n; j < n + pad; ++j) wrong += c(i, j) != before(i, j);
  }
  CHECK(wrong == 0);
}

TEST_CASE("OneDnn: products of every layout, into what c held or over it", "[backend]") {
  for (const std::size_t m : {1u, 2u, 17u, 64u})
    for (const std::size_t k : {0u, 1u, 5u, 33u})
      for (const std::size_t n : {1u, 16u, 31u})
        for (const bool overwrites : {false, true}) {
          check_product(m, k, n, k + 2, 1, overwrites);        // rows
          check_product(m, k, n, 1, m + 2, overwrites);        // columns
          check_product(m, k, n, 3 * k + 1, 3, overwrites);    // neither
          check_product(m, k, n, (k + 1) / 2, 1, overwrites);  // rows that overlap
          check_product(m, k, n, 0, 1, overwrites);            // one row, again and again
        }
}

TEST_CASE("OneDnn: what oneDNN refuses is an error with its status", "[backend]") {
  const Matrix values(8, 8, 1.0f);
  Matrix c(2, 4);
  const kernel::LeftFactor<float> a = kernel::left(values.view().block(0, 0, 2, 3));
  CHECK_THROWS_WITH(
      OneDnnProducts::multiply(a, {values.values.data(), 3, 4, 2}, c.view()),
      "OneDnn: dnnl_sgemm of a (2, 3), b (3, 4) with a row every 2 and c with a row every 4 says "
      "invalid_arguments");
  CHECK_THROWS_WITH(OneDnnProducts::multiply(a, values.view().block(0, 0, 4, 4), c.view()),
                    "multiply: a is (2, 3), b is (4, 4), c is (2, 4)");
}

TEST_CASE("OneDnn: as Reference over awkward shapes", "[backend]") { check_as_reference<OneDnn>(); }

TEST_CASE("OneDnn: the same bits for any number of threads", "[backend]") {
  check_any_number_of_threads<OneDnn>();
}

TEST_CASE("OneDnn: integers are the same on every instruction set, and so are the passes' bits",
          "[backend]") {
  check_every_instruction_set<OneDnn>();
}

TEST_CASE("OneDnn: views with a stride are read and written in place", "[backend]") {
  check_strides<OneDnn>();
}

TEST_CASE("OneDnn: backward adds to gradients and overwrites grad_x", "[backend]") {
  check_accumulation<OneDnn>();
}

TEST_CASE("OneDnn: merged codes are those of Cpu, and the merged layer gives the same bits",
          "[backend]") {
  const auto check = [](const auto& layer, const auto& on_cpu) {
    const auto merged = layer.merge();
    const auto merged_on_cpu = on_cpu.merge();
    for (std::size_t i = 0; i < merged.out_features(); ++i)
      for (std::size_t j = 0; j < merged.in_features(); ++j)
        REQUIRE(merged.code(i, j) == merged_on_cpu.code(i, j));
    const Matrix x = random_matrix(9, merged.in_features(), 1.0f, 5);
    Matrix y(9, merged.out_features()), merged_y = y;
    layer.forward(x.view(), y.view());
    merged.forward(x.view(), merged_y.view());
    CHECK(bits_of(merged_y.values) == bits_of(y.values));
  };
  const Sizes sizes{65, 300, 0};
  check(layer_of<QuantLinear<Int<3>, PerGroup<64>, LowRank<3>, OneDnn>>(sizes),
        layer_of<QuantLinear<Int<3>, PerGroup<64>, LowRank<3>>>(sizes));
  check(layer_of<QuantLinear<Int<4>, FullRank, WeightDomain, OneDnn>>(sizes),
        layer_of<QuantLinear<Int<4>, FullRank, WeightDomain>>(sizes));
}

TEST_CASE("OneDnn: OpenMP's number of threads changes no bit, and stays", "[backend]") {
#if defined(_OPENMP)
  const int before = omp_get_max_threads();
  // oneDNN by itself would cut the depth of this product in as many parts as there are threads.
  const Matrix a = random_matrix(1, 2048, 1.0f, 1), b = random_matrix(2048, 48, 1.0f, 2);
  std::vector<Matrix> products(4, Matrix(1, 48));
  int threads = 1;
  for (Matrix& c : products) {
    omp_set_num_threads(threads);
    OneDnnProducts::multiply(kernel::left(a.view()), b.view(), c.view());
    CHECK(omp_get_max_threads() == threads);
    CHECK(bits_of(c.values) == bits_of(products[0].values));
    threads += 3;
  }
  omp_set_num_threads(before);
#endif
}

}  // namespace
}  // namespace lrqat::test
