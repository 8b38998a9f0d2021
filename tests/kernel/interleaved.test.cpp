// SPDX-License-Identifier: MIT
// tests/kernel/interleaved.test.cpp: codes in the order of the products.
#include <lrqat/kernel/interleaved.hpp>

#include <lrqat/core/rng.hpp>
#include <lrqat/kernel/vectorised.hpp>

#include <support/machine.hpp>

#include <catch2/catch.hpp>

#include <cstdint>
#include <vector>

namespace lrqat::test {
namespace {

using kernel::InterleavedCodes;

// 16 x 8 nibbles, 16 x 4 bytes and 16 x 16 pairs of bits are a line each; three bits are two lines
// of pairs and one of single bits.
static_assert(InterleavedCodes<4>::inputs == 8 && InterleavedCodes<4>::words == 16);
static_assert(InterleavedCodes<8>::inputs == 4 && InterleavedCodes<8>::words == 16);
static_assert(InterleavedCodes<2>::inputs == 16 && InterleavedCodes<2>::words == 16);
static_assert(InterleavedCodes<3>::inputs == 32 && InterleavedCodes<3>::words == 48);
static_assert(InterleavedCodes<6>::inputs == 16 && InterleavedCodes<6>::words == 48);
static_assert(InterleavedCodes<7>::place(4, 3).line == 1 &&
              InterleavedCodes<7>::place(4, 3).low == 0);
static_assert(InterleavedCodes<7>::place(2, 3).line == 4 &&
              InterleavedCodes<7>::place(2, 3).low == 4);
static_assert(InterleavedCodes<7>::place(1, 3).line == 6 &&
              InterleavedCodes<7>::place(1, 3).low == 6);

TEST_CASE("InterleavedCodes: no byte is wasted inside whole panels and blocks", "[kernel]") {
  CHECK(InterleavedCodes<4>::size({32, 64}) * 4 == 32 * 64 / 2);
  CHECK(InterleavedCodes<3>::size({16, 96}) * 4 == 16 * 96 * 3 / 8);
  CHECK(InterleavedCodes<7>::size({16, 64}) * 4 == 16 * 64 * 7 / 8);
  CHECK(InterleavedCodes<4>::size({17, 9}) * 4 == 32 * 16 / 2);
  CHECK(InterleavedCodes<4>::size({0, 9}) == 0);
  CHECK(InterleavedCodes<4>::size({9, 0}) == 0);
}

TEST_CASE("InterleavedCodes: the place of an int4", "[kernel]") {
  std::vector<std::uint32_t> words(InterleavedCodes<4>::size({16, 16}));
  InterleavedCodes<4>::store(words.data(), 5, 2, 0xA);
  InterleavedCodes<4>::store(words.data(), 5, 6, 0xB);
  InterleavedCodes<4>::store(words.data(), 15, 15, 0xC);
  CHECK(words[5] == 0x00BA0000u);
  CHECK(words[31] == 0xC0000000u);
}

/// Random fields stored in any order over old ones come back alone and in vector loops.
template <unsigned bits>
void check_width() {
  using Codes = InterleavedCodes<bits>;
  INFO("bits " << bits);
  constexpr std::size_t out = 37, in = 71;
  const CounterRng random(bits, 0);
  std::vector<std::uint32_t> words(Codes::size({out, in}), 0xFFFFFFFFu);
  const auto panel = [&](std::size_t row) {
    return words.data() + row / Codes::rows * Codes::words_per_panel(in);
  };
  const auto wanted = [&](std::size_t row, std::size_t input) {
    return static_cast<unsigned>(random.below(1u << bits, row * in + input));
  };
  for (std::size_t i = 0; i < out * in; ++i) {
    const std::size_t at = i * 1001 % (out * in);  // 1001 has no factor in common with 37 or 71
    Codes::store(panel(at / in), at / in % Codes::rows, at % in, wanted(at / in, at % in));
  }
  int wrong = 0;
  for (std::size_t row = 0; row < out; ++row)
    for (std::size_t input = 0; input < in; ++input)
      wrong += Codes::load(panel(row), row % Codes::rows, input) != wanted(row, input);
  CHECK(wrong == 0);

  std::vector<std::uint32_t> read(in * Codes::rows);
  for (const std::size_t first : {std::size_t{0}, std::size_t{3}, std::size_t{64}}) {
    kernel::vectorised([&] {
      Codes::for_each(panel(16), first, in - first,
                      [&](std::size_t input, std::size_t r, unsigned field)
                          LRQAT_INLINE_LAMBDA { read[input * Codes::rows + r] = field; });
    });
    for (std::size_t input = first; input < in; ++input)
      for (std::size_t r = 0; r < Codes::rows; ++r)
        wrong += read[input * Codes::rows + r] != wanted(16 + r, input);
  }
  CHECK(wrong == 0);
}

TEST_CASE("InterleavedCodes: every width on every instruction set", "[kernel]") {
  const MachineSettings restored;
  for (const kernel::Isa isa : isas_of_machine()) {
    kernel::set_active_isa(isa);
    check_width<1>();
    check_width<2>();
    check_width<3>();
    check_width<4>();
    check_width<5>();
    check_width<6>();
    check_width<7>();
    check_width<8>();
  }
}

}  // namespace
}  // namespace lrqat::test
