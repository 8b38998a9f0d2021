// SPDX-License-Identifier: MIT
// io/ggml_blocks.hpp: the tensor types of GGUF files: blocks of 32 weights of a row, and floats.
#ifndef LRQAT_IO_GGML_BLOCKS_HPP
#define LRQAT_IO_GGML_BLOCKS_HPP

#include <lrqat/core/bf16.hpp>  // half
#include <lrqat/core/expects.hpp>
#include <lrqat/io/detail/bytes.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace lrqat {

/// The types that are read and written; the numbers are those of the files.
enum class GgmlType : std::uint32_t { f32 = 0, f16 = 1, q4_0 = 2, q4_1 = 3, q8_0 = 8 };

inline constexpr std::size_t ggml_block = 32;  // weights of a quantized block

/// weight j = d (q[j] - 8); q[j] for j < 16 is the low half of quants[j], q[j + 16] its high half.
struct BlockQ4_0 {
  half d;
  std::array<std::uint8_t, 16> quants{};
};
/// weight j = d q[j] + m, the halves of bytes as in BlockQ4_0.
struct BlockQ4_1 {
  half d, m;
  std::array<std::uint8_t, 16> quants{};
};
/// weight j = d quants[j].
struct BlockQ8_0 {
  half d;
  std::array<std::int8_t, 32> quants{};
};
static_assert(sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20 && sizeof(BlockQ8_0) == 34,
              "io: blocks are copied from and to files as they are");

namespace detail {

/// Name of a type number, of those that files have, too, but that are not read.
inline std::string ggml_type_name(std::uint32_t type) {
  constexpr std::string_view names[] = {
      "F32",     "F16",    "Q4_0",    "Q4_1",  "",       "",      "Q5_0",  "Q5_1",
      "Q8_0",    "Q8_1",   "Q2_K",    "Q3_K",  "Q4_K",   "Q5_K",  "Q6_K",  "Q8_K",
      "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS",
      "I8",      "I16",    "I32",     "I64",   "F64",    "IQ1_M", "BF16",  "",
      "",        "",       "TQ1_0",   "TQ2_0", "",       "",      "",      "MXFP4"};
  const std::string number = std::to_string(type);
  return type < std::size(names) && !names[type].empty() ? std::string(names[type])
                                                         : "number " + number;
}

constexpr bool is_known(std::uint32_t type) { return type <= 3 || type == 8; }

/// Weights of a block, 1 for floats, and its bytes.
struct BlockSize {
  std::size_t weights = 1, bytes = 0;
};
constexpr BlockSize block_size(GgmlType type) {
  switch (type) {
    case GgmlType::f32:
      return {1, sizeof(float)};
    case GgmlType::f16:
      return {1, sizeof(half)};
    case GgmlType::q4_0:
      return {ggml_block, sizeof(BlockQ4_0)};
    case GgmlType::q4_1:
      return {ggml_block, sizeof(BlockQ4_1)};
    case GgmlType::q8_0:
      break;
  }
  return {ggml_block, sizeof(BlockQ8_0)};
}

/// A block's codes as they are stored, 0 .. 15 or -128 .. 127.
template <class Block>
int stored_code(const Block& block, std::size_t j) {
  if constexpr (std::is_same_v<Block, BlockQ8_0>)
    return block.quants[j];
  else
    return j < 16 ? block.quants[j] & 15 : block.quants[j - 16] >> 4;
}
template <class Block>
void store_code(Block& block, std::size_t j, int code) {
  if constexpr (std::is_same_v<Block, BlockQ8_0>)
    block.quants[j] = static_cast<std::int8_t>(code);
  else
    block.quants[j % 16] =
        static_cast<std::uint8_t>(block.quants[j % 16] | (j < 16 ? code : code << 4));
}

/// All products and sums are exact: 11 bits times 4 or 8.
inline float block_weight(const BlockQ4_0& block, std::size_t j) {
  return static_cast<float>(block.d) * static_cast<float>(stored_code(block, j) - 8);
}
inline float block_weight(const BlockQ4_1& block, std::size_t j) {
  return static_cast<float>(block.d) * static_cast<float>(stored_code(block, j)) +
         static_cast<float>(block.m);
}
inline float block_weight(const BlockQ8_0& block, std::size_t j) {
  return static_cast<float>(block.d) * static_cast<float>(stored_code(block, j));
}

/// visit(index of the block, block) for the blocks of these bytes.
template <class Block, class Visit>
void for_each_block(std::span<const std::byte> bytes, const Visit& visit) {
  for (std::size_t i = 0; i < bytes.size() / sizeof(Block); ++i) {
    Block block;
    std::memcpy(&block, bytes.data() + i * sizeof(Block), sizeof(Block));
    visit(i, block);
  }
}

template <class Block>
void dequantize_blocks(std::span<const std::byte> bytes, std::span<float> values) {
  for_each_block<Block>(bytes, [&](std::size_t i, const Block& block) {
    for (std::size_t j = 0; j < ggml_block; ++j)
      values[i * ggml_block + j] = block_weight(block, j);
  });
}

/// Any tensor's bytes as float32; exact for every type.
/// @pre the sizes fit each other
inline void dequantize_ggml(GgmlType type, std::span<const std::byte> bytes,
                            std::span<float> values) {
  switch (type) {
    case GgmlType::f32:
      if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
      return;
    case GgmlType::f16:
      for (std::size_t i = 0; i < values.size(); ++i) {
        half narrow;
        std::memcpy(&narrow, bytes.data() + i * sizeof narrow, sizeof narrow);
        values[i] = static_cast<float>(narrow);
      }
      return;
    case GgmlType::q4_0:
      return dequantize_blocks<BlockQ4_0>(bytes, values);
    case GgmlType::q4_1:
      return dequantize_blocks<BlockQ4_1>(bytes, values);
    case GgmlType::q8_0:
      return dequantize_blocks<BlockQ8_0>(bytes, values);
  }
}

}  // namespace detail

/// "Q4_0"
inline std::string name_of(GgmlType type) {
  return detail::ggml_type_name(static_cast<std::uint32_t>(type));
}

}  // namespace lrqat

#endif  // LRQAT_IO_GGML_BLOCKS_HPP
