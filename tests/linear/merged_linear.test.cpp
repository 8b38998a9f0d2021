// SPDX-License-Identifier: MIT
// tests/linear/merged_linear.test.cpp: what remains of a layer, over granularities and inputs.
#include <lrqat/linear/merged_linear.hpp>

#include <linear/merge_check.hpp>

#include <cmath>

namespace lrqat::test::merged_linear_cases {
namespace {

using Catch::Matchers::Contains;

template <class Granularity>
void check_granularity() {
  check_merge<QuantLinear<Int<4>, Granularity, FixedPoint, LowRank<2>>>(13, 19);
  check_merge<QuantLinear<UInt<3>, Granularity, Packed, LowRank<2>>>(13, 19);
  check_merge<QuantLinear<Int<3>, Granularity, LowRank<2>, WeightDomain>>(13, 19);
}

TEST_CASE("Merge: exact for every granularity", "[linear]") {
  check_granularity<PerTensor>();
  check_granularity<PerChannel>();
  check_granularity<PerGroup<8>>();
}

TEST_CASE("Merge: exact without adapter and with the weight trained", "[linear]") {
  check_merge<QuantLinear<Int<4>, PerGroup<8>>>(13, 19);
  check_merge<QuantLinear<UInt<2>, WeightDomain>>(13, 19);
  check_merge<QuantLinear<Int<4>, FullRank, PerGroup<8>>>(13, 19);
  check_merge<QuantLinear<Int<2>, FullRank, WeightDomain>>(13, 19);
  check_merge<QuantLinear<UInt<4>, FullRank, WeightDomain, Lsq>>(13, 19);
}

TEST_CASE("Merge: exact with quantized inputs", "[linear]") {
  check_merge<QuantLinear<Int<4>, LowRank<2>, Input<UInt<8>>>>(13, 19);
  check_merge<QuantLinear<Int<4>, LowRank<2>, Input<UInt<4>>>>(13, 19);
  check_merge<QuantLinear<UInt<3>, LowRank<2>, Input<UInt<8>, PerToken, IntegerZeroPoint>>>(13, 19);
}

TEST_CASE("Merge: exact on Reference and over several tiles", "[linear]") {
  check_merge<QuantLinear<Int<3>, PerGroup<128>, LowRank<2>, Packed>>(130, 700);
  check_merge<QuantLinear<Int<4>, LowRank<2>, Reference>>(13, 19);
}

TEST_CASE("Merge: huge adapters clip before the codes are narrowed", "[linear]") {
  QuantLinear<Int<4>, LowRank<1>> layer(random_matrix(4, 6, 1.0f, 1).view());
  for (float& value : named(layer.parameters(), "A").value) value = 1e30f;
  for (float& value : named(layer.parameters(), "B").value) value = 1e30f;  // infinite product
  named(layer.parameters(), "B").value[2] = -1e9f;
  const auto merged = layer.merge();
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 6; ++j) CHECK(merged.code(i, j) == (j == 2 ? -8 : 7));
  CHECK(weight_of(merged).values == weight_of(layer).values);
}

TEST_CASE("MergedLinear: the parts must fit", "[linear]") {
  const ScaleLayout layout = PerChannel::layout({3, 5}, {});
  const std::vector<float> three(3, 1.0f), two(2, 1.0f), none;
  using Signed = MergedLinear<Int<4>>;
  using Unsigned = MergedLinear<UInt<4>>;
  CHECK_NOTHROW(Signed({3, 5}, layout, three, none, none));
  CHECK_NOTHROW(Unsigned({3, 5}, layout, three, three, three));
  CHECK_THROWS_WITH(Signed({3, 5}, layout, two, none, none), Contains("2 scales for 3"));
  CHECK_THROWS_WITH(Signed({3, 5}, layout, three, three, none), Contains("zero points"));
  CHECK_THROWS_WITH(Unsigned({3, 5}, layout, three, none, none), Contains("zero points"));
  CHECK_THROWS_WITH(Signed({3, 5}, layout, three, none, two), Contains("bias"));
  const std::vector<float> broken{1.0f, std::nanf(""), 1.0f};
  CHECK_THROWS_WITH(Signed({3, 5}, layout, broken, none, none), Contains("scale 1"));
}

TEST_CASE("MergedLinear: codes are read back", "[linear]") {
  MergedLinear<Int<3>> merged({2, 5}, PerChannel::layout({2, 5}, {}), std::vector<float>{1, 2}, {},
                              {});
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 5; ++j) merged.set_code(i, j, static_cast<int>(j) - 2);
  const Matrix weight = weight_of(merged);
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 5; ++j) {
      CHECK(merged.code(i, j) == static_cast<int>(j) - 2);
      CHECK(weight(i, j) == static_cast<float>(i + 1) * (static_cast<float>(j) - 2.0f));
    }
}

}  // namespace
}  // namespace lrqat::test::merged_linear_cases
