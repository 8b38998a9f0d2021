// SPDX-License-Identifier: MIT
// tests/kernel/multiply_int8.test.cpp: tiles of the product of codes on every unit.
#include <lrqat/kernel/multiply_int8.hpp>

#include <lrqat/core/rng.hpp>

#include <support/byte_tiles.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace lrqat::test {
namespace {

using kernel::Int8Shape;
using kernel::Int8Tile;
using kernel::Int8Unit;

/// Operands of a tile: random fields and, in row 0 of every panel, the largest, activations with
/// the largest codes among them, two groups, the first of one block and the second of more than
/// have a sum of fields in a byte; with `run` steps of a token next to each other.
template <unsigned bits, std::size_t run = 1>
struct Operands {
  using Codes = kernel::InterleavedCodes<bits>;
  static constexpr std::size_t whole(std::size_t count) { return (count + run - 1) / run * run; }
  static constexpr std::size_t second_blocks = 33, in = (1 + second_blocks) * Codes::inputs;
  static constexpr std::size_t lanes = 16, first_steps = whole(Codes::steps);
  static constexpr std::size_t steps = first_steps + whole(second_blocks * Codes::steps);

  Int8Shape shape;
  std::vector<std::uint32_t> panels, x, ones, operands;
  std::vector<std::int32_t> zero_x, x_sum, start, zero, sum;
  std::vector<float> scale_x, scale, y;
  kernel::GroupBlocks groups[2] = {{0, 1}, {1, second_blocks}};

  explicit Operands(Int8Shape tile_shape)
      : shape(tile_shape),
        panels(shape.panels * Codes::words_per_panel(in)),
        x(steps * shape.tokens),
        ones(steps, 0x01010101u),
        operands(shape.panels * steps * lanes, 0xABABABABu),
        zero_x(shape.tokens),
        x_sum(2 * shape.tokens),
        start(2 * shape.tokens),
        zero(shape.panels * 2 * lanes),
        sum(shape.panels * 2 * lanes),
        scale_x(shape.tokens),
        scale(shape.panels * 2 * lanes),
        y(shape.tokens * row_length(), -7.0f) {
    const CounterRng random(bits, shape.tokens);
    const auto word = [&](std::size_t i) {
      return static_cast<std::uint32_t>(random.below(1u << 16, 2 * i)) << 16 |
             static_cast<std::uint32_t>(random.below(1u << 16, 2 * i + 1));
    };
    for (std::size_t i = 0; i < panels.size(); ++i)
      panels[i] = i % lanes == 0 ? 0xFFFFFFFFu : word(i);
    for (std::size_t step = 0; step < steps; ++step) {
      const bool is_filler = step < first_steps
                                 ? step >= Codes::steps
                                 : step - first_steps >= second_blocks * Codes::steps;
      if (is_filler) ones[step] = 0;
      for (std::size_t t = 0; t < shape.tokens; ++t)
        x[place(step, t)] = is_filler ? 0
                            : t == 0  ? 0xFFFFFFFFu
                                      : word(step * shape.tokens + t + 5000);
    }
    for (std::size_t t = 0; t < shape.tokens; ++t) {
      zero_x[t] = static_cast<std::int32_t>(random.below(256, t));
      scale_x[t] = 0.5f + random.uniform(t);
      for (std::size_t g = 0; g < 2; ++g) {
        start[g * shape.tokens + t] = static_cast<std::int32_t>(random.below(1000, t + g)) - 500;
        x_sum[g * shape.tokens + t] = static_cast<std::int32_t>(random.below(9000, t + g)) - 4500;
      }
    }
    for (std::size_t i = 0; i < zero.size(); ++i) {
      zero[i] = static_cast<std::int32_t>(random.below(300, i)) - 150;
      scale[i] = random.uniform(i) - 0.25f;
    }
  }
  std::size_t place(std::size_t step, std::size_t t) const {
    return (step / run * shape.tokens + t) * run + step % run;
  }
  std::size_t row_length() const { return shape.panels * lanes + 3; }

  /// The last panel has 5 rows in y, and the last token is not there if there are several.
  Int8Tile tile() {
    Int8Tile tile{};
    for (std::size_t v = 0; v < shape.panels; ++v) {
      tile.panel[v] = panels.data() + v * Codes::words_per_panel(in);
      tile.scale[v] = scale.data() + v * 2 * lanes;
      tile.zero[v] = zero.data() + v * 2 * lanes;
      tile.sum[v] = sum.data() + v * 2 * lanes;
      tile.operands[v] = operands.data() + v * steps * lanes;
      tile.y[v] = y.data() + v * lanes;
      tile.rows[v] = v + 1 == shape.panels ? 5 : lanes;
    }
    tile.groups = groups;
    tile.group_count = 2;
    tile.x = x.data();
    tile.ones = ones.data();
    tile.zero_x = zero_x.data();
    tile.x_sum = x_sum.data();
    tile.start = start.data();
    tile.scale_x = scale_x.data();
    tile.keeps_sums = true;
    tile.y_stride = row_length();
    tile.tokens = std::max<std::size_t>(shape.tokens - 1, 1);
    return tile;
  }

  std::int64_t operand(std::size_t v, std::size_t r, std::size_t input) const {
    return static_cast<std::int64_t>(
               Codes::load(panels.data() + v * Codes::words_per_panel(in), r, input)) -
           Codes::operand_offset;
  }

  /// What the tile's contract says, in 64 bits.
  void check(bool has_zero) {
    const Int8Tile expected = tile();
    int wrong = 0;
    for (std::size_t t = 0; t < shape.tokens; ++t)
      for (std::size_t i = 0; i < row_length(); ++i) {
        const std::size_t v = i / lanes, r = i % lanes;
        float value = -7.0f;
        if (t < expected.tokens && v < shape.panels && r < expected.rows[v]) {
          value = 0.0f;
          for (std::size_t g = 0; g < 2; ++g) {
            std::int64_t products = start[g * shape.tokens + t], operands = 0;
            for (std::size_t k = g == 0 ? 0 : Codes::inputs; k < (g == 0 ? Codes::inputs : in);
                 ++k) {
              operands += operand(v, r, k);
              const std::size_t step = k / 4 + (g == 0 ? 0 : first_steps - Codes::steps);
              products += operand(v, r, k) * (x[place(step, t)] >> k % 4 * 8 & 0xFFu);
            }
            const std::size_t cell = (v * 2 + g) * lanes + r;
            wrong += sum[cell] != operands;
            products -= zero_x[t] * operands;
            if (has_zero) products -= std::int64_t{zero[cell]} * x_sum[g * shape.tokens + t];
            value = fused_multiply_add(
                scale[cell], static_cast<float>(static_cast<std::int32_t>(products)), value);
          }
          value *= scale_x[t];
        }
        wrong += bits_of({&y[t * row_length() + i], 1}) != bits_of({&value, 1});
      }
    CHECK(wrong == 0);
  }
};

template <unsigned bits, bool has_zero, Int8Unit unit>
void check_unit() {
  if (!machine_has(unit)) return;
  INFO("bits " << bits << " unit " << std::string(name(unit)));
  std::vector<Int8Shape> shapes(std::begin(kernel::few_tokens), std::end(kernel::few_tokens));
  shapes.push_back(kernel::many_tokens);
  shapes.insert(shapes.end(), std::begin(kernel::further_tokens), std::end(kernel::further_tokens));
  shapes.push_back(kernel::further_four_tokens);
  for (const Int8Shape shape : shapes) {
    INFO("tokens " << shape.tokens << " panels " << shape.panels);
    Operands<bits> operands(shape);
    if (!shape.makes_sums) {  // the tile that came before
      Operands<bits> before(shape.panels == 2 ? kernel::many_tokens : kernel::few_tokens[0]);
      before.panels = operands.panels;
      kernel::int8_tile<bits, has_zero, unit>(before.shape)(before.tile());
      operands.sum = before.sum;
    }
    kernel::int8_tile<bits, has_zero, unit>(shape)(operands.tile());
    operands.check(has_zero);
  }
}

/// The tiles of Kernel, a TiledInt8Kernel.
template <unsigned bits, bool has_zero, class Kernel>
void check_tiled() {
  for (const Int8Shape shape : kernel::on_tile_unit) {
    INFO("bits " << bits << ", tiles of " << shape.tokens << " tokens");
    Operands<bits, kernel::tiled_order.run> operands(shape);
    if (!shape.makes_sums) {  // the tile that came before
      Operands<bits, kernel::tiled_order.run> before(kernel::on_tile_unit[2]);
      before.panels = operands.panels;
      kernel::tiled_int8_tile<bits, has_zero, Kernel>(before.shape)(before.tile());
      operands.sum = before.sum;
      operands.operands = before.operands;
    }
    kernel::tiled_int8_tile<bits, has_zero, Kernel>(shape)(operands.tile());
    operands.check(has_zero);
    CHECK_FALSE(ByteTiles::taken);
  }
}

template <unsigned bits, bool has_zero>
void check_tiles() {
  check_tiled<bits, has_zero, kernel::TiledInt8Kernel<ByteTiles, PlainOperands>>();
#if LRQAT_X86
  using Vnni = kernel::Int8Kernel<Int8Unit::avx512_vnni>;
  if (machine_has(Int8Unit::avx512_vnni))
    check_tiled<bits, has_zero, kernel::TiledInt8Kernel<ByteTiles, Vnni>>();
  if (machine_has(Int8Unit::amx)) check_tiled<bits, has_zero, kernel::Int8Kernel<Int8Unit::amx>>();
#endif
}

template <unsigned bits, bool has_zero>
void check_units() {
  check_unit<bits, has_zero, Int8Unit::portable>();
#if LRQAT_X86
  check_unit<bits, has_zero, Int8Unit::avx2>();
  check_unit<bits, has_zero, Int8Unit::avx512_vnni>();
#endif
}

TEST_CASE("multiply_int8: every width on every unit keeps the contract", "[kernel]") {
  check_units<2, false>();
  check_units<3, true>();
  check_units<4, false>();
  check_units<5, true>();
  check_units<6, false>();
  check_units<7, false>();
  check_units<8, true>();
}

TEST_CASE("multiply_int8: tile units keep it on a model of the registers, and where there are any",
          "[kernel]") {
  check_tiles<2, false>();
  check_tiles<3, true>();
  check_tiles<4, false>();
  check_tiles<5, true>();
  check_tiles<6, false>();
  check_tiles<7, false>();
  check_tiles<8, true>();
}

TEST_CASE("multiply_int8: a shape that there is not", "[kernel]") {
  CHECK_THROWS_WITH((kernel::int8_tile<4, false>({5, 2, false})),
                    "int8_tile: no tile of 5 tokens by 2 panels");
  using Kernel = kernel::TiledInt8Kernel<ByteTiles, PlainOperands>;
  CHECK_THROWS_WITH((kernel::tiled_int8_tile<4, false, Kernel>({12, 2, true})),
                    "tiled_int8_tile: no tile of 12 tokens by 2 panels");
}

TEST_CASE("Int8Unit: of the instruction set in use", "[kernel]") {
  const MachineSettings restored;
  for (const kernel::Isa isa : isas_of_machine()) {
    kernel::set_active_isa(isa);
    const Int8Unit unit = kernel::active_int8_unit();
    CHECK(machine_has(unit));
    if (isa == kernel::Isa::scalar || isa == kernel::Isa::neon) CHECK(unit == Int8Unit::portable);
    if (isa == kernel::Isa::avx2) CHECK(unit == Int8Unit::avx2);
    if (isa == kernel::Isa::avx512) {
      const bool has_tiles =
          machine_has(Int8Unit::amx) && kernel::active_tile_unit() == kernel::TileUnit::allowed;
      CHECK(unit == (has_tiles                            ? Int8Unit::amx
                     : machine_has(Int8Unit::avx512_vnni) ? Int8Unit::avx512_vnni
                                                          : Int8Unit::avx2));
    }
    CHECK(kernel::active_int8_order().tokens == (unit == Int8Unit::amx ? 32u : 12u));
  }
}

}  // namespace
}  // namespace lrqat::test
