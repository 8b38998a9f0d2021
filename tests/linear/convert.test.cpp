// SPDX-License-Identifier: MIT
// tests/linear/convert.test.cpp: from one scheme to another that shares grid and granularity.
#include <linear/merge_check.hpp>

namespace lrqat::test::convert_cases {
namespace {

using Catch::Matchers::Contains;

/// The new layer has the old one's W_hat, bias and outputs.
template <class To, class From>
void check_conversion(const From& from, QuantOptions options = {}) {
  const To to = from.template convert_to<To>(options);
  CHECK(weight_of(to).values == weight_of(from).values);
  CHECK(levels_of(to) == levels_of(from));
  CHECK(copy_of(to.bias()) == copy_of(from.bias()));
  const Matrix x = random_matrix(4, from.in_features(), 1.0f, 9);
  Matrix y(4, from.out_features()), converted(4, from.out_features());
  from.forward(x.view(), y.view());
  to.forward(x.view(), converted.view());
  CHECK(bits_of(converted.values) == bits_of(y.values));
}

TEST_CASE("convert_to: the same function in another storage, adapter or placement", "[linear]") {
  using From = QuantLinear<Int<4>, PerGroup<8>, FixedPoint, LowRank<3>>;
  const From from = trained_layer<From>(13, 19);
  check_conversion<QuantLinear<Int<4>, PerGroup<8>, Packed, LowRank<5>>>(from);
  check_conversion<QuantLinear<Int<4>, PerGroup<8>, Dense<bf16>, LowRank<2>, WeightDomain>>(from);
  check_conversion<QuantLinear<Int<4>, PerGroup<8>, FullRank, WeightDomain>>(from);
  check_conversion<QuantLinear<Int<4>, PerGroup<8>, ScaleOnly>>(from);
}

TEST_CASE("convert_to: from the weight domain, at 8 bits and with zero points", "[linear]") {
  using Full = QuantLinear<Int<8>, FullRank, WeightDomain>;
  const Full full = trained_layer<Full>(13, 19);
  check_conversion<QuantLinear<Int<8>, LowRank<2>>>(full);
  check_conversion<QuantLinear<Int<8>, LowRank<2>, Dense<bf16>, WeightDomain>>(full);
  using Asymmetric = QuantLinear<UInt<8>, LowRank<2>>;
  const Asymmetric asymmetric = trained_layer<Asymmetric>(13, 19);
  check_conversion<QuantLinear<UInt<8>, Packed, LowRank<3>>>(asymmetric);
  check_conversion<QuantLinear<UInt<8>, LowRank<2>, WeightDomain>>(asymmetric);
}

TEST_CASE("convert_to: a storage too coarse for the levels is refused", "[linear]") {
  // bfloat16 has 8 bits: 214 * 0.3 = 64.2 becomes 64 = 213.3 * 0.3.
  using From = QuantLinear<UInt<8>, PerTensor, LowRank<1>>;
  using Coarse = QuantLinear<UInt<8>, PerTensor, LowRank<1>, Dense<bf16>, WeightDomain>;
  const Matrix weight(1, 2, {0.3f * 100, 0.3f * 214});
  const From from(weight.view(), std::vector<QParams>{{0.3f, 0.0f}});
  REQUIRE(levels_of(from) == std::vector<int>{100, 214});
  CHECK_THROWS_WITH(from.convert_to<Coarse>(), Contains("(0, 1)") && Contains("214"));
}

TEST_CASE("convert_to: the adapter starts anew, scales below the floor come as the floor",
          "[linear]") {
  using From = QuantLinear<Int<4>, LowRank<3>>;
  From from = trained_layer<From>(5, 7);
  from.weight().scales()[2] = 0.0f;
  QuantOptions options;
  options.rank = 2;
  auto to = from.convert_to<QuantLinear<Int<4>, LowRank<dynamic>>>(options);
  for (const float value : named(to.parameters(), "A").value) CHECK(value == 0.0f);
  CHECK(to.weight().scales()[2] == scale_floor);
  CHECK(weight_of(to).values == weight_of(from).values);
}

TEST_CASE("convert_to: groups of another size are refused, as many as they may be", "[linear]") {
  using Grouped = QuantLinear<Int<4>, PerGroup<dynamic>, LowRank<2>>;
  QuantOptions six, seven;
  six.group_size = 6;
  seven.group_size = 7;
  const Grouped from = trained_layer<Grouped>(4, 10, six);  // two groups a row either way
  CHECK_THROWS_WITH(from.convert_to<Grouped>(seven), Contains("6") && Contains("7"));
  CHECK_THROWS_WITH(from.convert_to<Grouped>(), Contains("group_size"));
  check_conversion<Grouped>(from, six);
}

}  // namespace
}  // namespace lrqat::test::convert_cases
