// SPDX-License-Identifier: MIT
// tests/storage/packed.test.cpp: b-bit codes without gaps.
#include <lrqat/storage/packed.hpp>

#include <lrqat/core/rng.hpp>
#include <lrqat/grid/int.hpp>
#include <lrqat/grid/uint.hpp>

#include <catch2/catch.hpp>
#include <vector>

namespace lrqat {
namespace {

using G4 = Packed::bound_to<Int<4>>;

constexpr bool int4_round_trips() {
  std::byte bytes[8]{};
  for (int i = 0; i < 16; ++i) G4::store(bytes, static_cast<std::size_t>(i), i - 8);
  for (int i = 0; i < 16; ++i)
    if (G4::load(bytes, static_cast<std::size_t>(i)) != i - 8) return false;
  return true;
}
static_assert(int4_round_trips());

TEST_CASE("Packed: no byte is wasted", "[storage]") {
  CHECK(Packed::bound_to<Int<2>>::bytes_per_row(4) == 1);
  CHECK(Packed::bound_to<Int<3>>::bytes_per_row(8) == 3);
  CHECK(Packed::bound_to<Int<4>>::bytes_per_row(2) == 1);
  CHECK(Packed::bound_to<Int<4>>::bytes_per_row(5) == 3);
  CHECK(Packed::bound_to<UInt<3>>::bytes_per_row(9) == 4);
  CHECK(Packed::bound_to<Int<8>>::bytes_per_row(7) == 7);
  CHECK(Packed::bound_to<Int<3>>::bytes_per_row(0) == 0);
}

TEST_CASE("Packed: the even int4 is in the low nibble, two's complement", "[storage]") {
  std::byte row[2]{};
  const float values[3]{-1.0f, 7.0f, -8.0f};
  G4::encode(values, 0.0f, row, 0);
  CHECK(std::to_integer<int>(row[0]) == 0x7F);
  CHECK(std::to_integer<int>(row[1]) == 0x08);  // the last high nibble is 0
}

/// Every code at every position of rows of 1 to 17 weights, between neighbours of all bits set or
/// none: what is stored is read, and nothing else changes.
template <class G>
int wrong_stores() {
  using Codes = Packed::bound_to<G>;
  int wrong = 0;
  for (std::size_t in = 1; in <= 17; ++in)
    for (const int background : {0x00, 0xFF})
      for (std::size_t j = 0; j < in; ++j)
        for (int code = G::code_min; code <= G::code_max; ++code) {
          std::vector<std::byte> row(Codes::bytes_per_row(in), static_cast<std::byte>(background));
          const std::vector<std::byte> before = row;
          Codes::store(row.data(), j, code);
          wrong += Codes::load(row.data(), j) != code;
          for (std::size_t other = 0; other < in; ++other)
            if (other != j)
              wrong += Codes::load(row.data(), other) != Codes::load(before.data(), other);
          // Bits after the last code are nobody's.
          for (std::size_t bit = in * static_cast<std::size_t>(G::bits); bit < row.size() * 8;
               ++bit)
            wrong += ((row[bit / 8] ^ before[bit / 8]) >> (bit % 8) & std::byte{1}) != std::byte{0};
        }
  return wrong;
}

TEMPLATE_TEST_CASE_SIG("Packed: every code survives at every position", "[storage]",
                       ((int Bits), Bits), 2, 3, 4, 5, 6, 7, 8) {
  CHECK(wrong_stores<Int<Bits>>() == 0);
  CHECK(wrong_stores<UInt<Bits>>() == 0);
}

/// Encodes a row in pieces cut anywhere, decodes it in other pieces.
template <class G>
void check_pieces() {
  using Codes = Packed::bound_to<G>;
  const CounterRng random(7, static_cast<std::uint64_t>(G::bits));
  constexpr std::size_t in = 37;
  const float zero = G::has_zero_point ? 1.0f : 0.0f;
  std::vector<float> levels(in);
  for (std::size_t j = 0; j < in; ++j)
    levels[j] = G::level(G::code_min + static_cast<int>(random.below(1u << G::bits, j)), zero);
  for (std::size_t cut = 0; cut <= in; ++cut) {
    std::vector<std::byte> row(Codes::bytes_per_row(in), std::byte{0xA5});
    const std::span<const float> all(levels);
    Codes::encode(all.subspan(cut), zero, row.data(), cut);
    Codes::encode(all.first(cut), zero, row.data(), 0);
    for (std::size_t first = 0; first < in; ++first) {
      std::vector<float> read(in - first);
      Codes::decode(row.data(), first, zero, read);
      CHECK(std::equal(read.begin(), read.end(),
                       levels.begin() + static_cast<std::ptrdiff_t>(first)));
    }
  }
}

TEST_CASE("Packed: rows are written and read in pieces that start anywhere", "[storage]") {
  check_pieces<Int<2>>();
  check_pieces<Int<3>>();
  check_pieces<Int<4>>();
  check_pieces<Int<5>>();
  check_pieces<UInt<3>>();
  check_pieces<UInt<4>>();
  check_pieces<UInt<7>>();
}

TEST_CASE("Packed: reals are rounded to even and clipped", "[storage]") {
  const std::vector<float> values{0.5f, 1.5f, 2.5f, -0.5f, -1.5f, 6.5f, 7.5f, 1e30f, -1e30f, -8.5f};
  const std::vector<float> expected{0, 2, 2, 0, -2, 6, 7, 7, -8, -8};
  std::vector<std::byte> row(G4::bytes_per_row(values.size()));
  G4::encode(values, 0.0f, row.data(), 0);
  std::vector<float> read(values.size());
  G4::decode(row.data(), 0, 0.0f, read);
  CHECK(read == expected);
}

template <class G>
void check_every_pattern() {
  using Codes = Packed::bound_to<G>;
  for (unsigned pattern = 0; pattern < 256; ++pattern) {
    // Exactly as many bytes as the row has, so that a sanitizer sees a read beyond them.
    const std::vector<std::byte> row(static_cast<std::size_t>(G::bits),
                                     static_cast<std::byte>(pattern));
    std::vector<float> levels(8);
    Codes::decode(row.data(), 0, 0.0f, levels);
    for (const float level : levels) {
      CHECK(level >= static_cast<float>(G::code_min));
      CHECK(level <= static_cast<float>(G::code_max));
    }
  }
}

TEST_CASE("Packed: every byte pattern decodes to a code of the grid", "[storage]") {
  check_every_pattern<Int<2>>();
  check_every_pattern<Int<3>>();
  check_every_pattern<Int<4>>();
  check_every_pattern<Int<7>>();
  check_every_pattern<UInt<3>>();
  check_every_pattern<UInt<8>>();
}

}  // namespace
}  // namespace lrqat
