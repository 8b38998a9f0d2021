// SPDX-License-Identifier: MIT
// tests/linear/select.test.cpp: policies in any order give one type, and what is left out.
#include <lrqat/fwd.hpp>  // its declarations must agree with the definitions

#include <lrqat/linear/select.hpp>

#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <concepts>

namespace lrqat::test::select_cases {
namespace {

using Full = QuantLinear<Int<4>, PerGroup<32>, Packed, LowRank<8>, InsideRounding, StraightThrough,
                         LpSearch<4>, AdapterAndScale, Input<UInt<8>>, Fp16Scale, Reference>;
static_assert(std::same_as<Full, QuantLinear<Reference, Input<UInt<8>>, AdapterAndScale,
                                             LpSearch<4>, StraightThrough, InsideRounding, Fp16Scale,
                                             LowRank<8>, Packed, PerGroup<32>, Int<4>>>);
static_assert(std::same_as<Full, QuantLinear<LowRank<8>, Fp16Scale, Int<4>, Reference, PerGroup<32>,
                                             LpSearch<4>, Packed, Input<UInt<8>>>>);
static_assert(std::same_as<
              Full, QuantLinear<Packed, StraightThrough, Reference, PerGroup<32>, InsideRounding,
                                LpSearch<4>, Int<4>, LowRank<8>, AdapterAndScale, Input<UInt<8>>,
                                Fp16Scale>>);

// What is left out.
static_assert(
    std::same_as<QuantLinear<Int<4>, LowRank<8>>,
                 BasicQuantLinear<Int<4>, PerChannel, FixedPoint, LowRank<8>, InsideRounding,
                                  StraightThrough, MinMax, AdapterAndScale, NoInput, Cpu, Float32Scale>>);
static_assert(std::same_as<QuantLinear<Int<4>>, QuantLinear<Int<4>, NoAdapter, Packed>>);
static_assert(std::same_as<QuantLinear<Int<4>, FullRank>,
                           QuantLinear<Int<4>, FullRank, Dense<float>, InsideRounding>>);
static_assert(std::same_as<QuantLinear<Int<4>, WeightDomain>,
                           QuantLinear<Int<4>, WeightDomain, NoAdapter, Dense<float>>>);
static_assert(std::same_as<QuantLinear<Int<4>, LowRank<2>, WeightDomain>,
                           QuantLinear<Int<4>, LowRank<2>, Dense<float>, WeightDomain>>);

// Another argument is another type.
static_assert(!std::same_as<QuantLinear<Int<4>, LowRank<8>>, QuantLinear<Int<4>, LowRank<9>>>);
static_assert(!std::same_as<QuantLinear<Int<4>>, QuantLinear<UInt<4>>>);

static_assert(LinearLayer<Full> && LinearLayer<QuantLinear<Int<4>>>);

TEST_CASE("QuantLinear: policies in any order give one type", "[linear]") {
  SUCCEED("held by static_assert");
}

}  // namespace
}  // namespace lrqat::test::select_cases
