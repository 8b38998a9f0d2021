// SPDX-License-Identifier: MIT
// examples/lab/known_schemes.hpp: what `lrqat-lab schemes` tells.
#ifndef LRQAT_LAB_KNOWN_SCHEMES_HPP
#define LRQAT_LAB_KNOWN_SCHEMES_HPP

#include <string_view>

namespace lrqat::lab {

/// How names are composed.
inline constexpr std::string_view scheme_grammar =
    R"(A scheme is named  <bits>[<activations>]-<sharing>-<method>[-r<rank>][-<range>]

  bits     w2 ... w8     signed integers -2^(b-1) ... 2^(b-1)-1
           u2 ... u8     unsigned integers with a zero point for each scale
  activations, with a scale and a zero point for each token (for each head of it in attention):
           a8, a4        8 or 4 bits for the inputs of linear layers, for keys and values (what a
                         KV cache keeps), and for queries and keys after rotary embedding
           kv4, kv8      other bits for keys and values, as in w4a8kv4; alone, as in w4kv4, for
                         them only
           r             at the end, as in w4a8r: their zero points are reals, as LR-QAT's authors
                         train; without it integers, as integer kernels need them
  sharing  pc            one scale for each output of a layer
           pt            one scale for a whole layer
           g<n>          one scale for each n neighbouring inputs (the last group of a row may be
                         shorter); g<n>c: one for each output in layers that n does not divide
  method   rtn           round to nearest; nothing is trained
           peqa          integers frozen, scales trained
           q<b>.<8-b>    LR-QAT, its base in fixed point, one byte a weight: q4.4 for w4
           bf16, fp32    LR-QAT, its base in bfloat16 or float32
           int<b>        LR-QAT, its base packed in b bits: int4 for w4
           wd            low-rank adapter in weight units, the scale live inside the rounding
           lsq           full QAT: every weight and scale is trained
  rank     r1, r8, ...   of the adapter; without it --rank decides
  range    l2            initial scale: search for the smallest squared error (the default)
           l2.4 l3 l3.5 l4 l5   search with another exponent of the error
           minmax        max|w| / (2^(b-1)-1)
           full          max|w| / 2^(b-1)

  and      fp32          the model as it is
           fp32-tuned    its linear layers trained in float32: what training alone gives
)";

/// A common name, what it stands for and whose method it is.
struct KnownScheme {
  std::string_view name, meaning;
};

inline constexpr KnownScheme known_schemes[] = {
    {"fp32", "the model as it is; every other row is measured against it"},
    {"fp32-tuned", "control: the same steps and data without quantization"},
    {"w4-pc-rtn", "round to nearest, 4 bits, the smallest squared error"},
    {"w4-g32-rtn", "the same with a scale for each 32 inputs"},
    {"w4-pc-rtn-minmax", "round to nearest over the whole range, no search"},
    {"w4-pc-peqa", "PEQA (Kim et al. 2023, arXiv 2305.14152) on a signed grid"},
    {"u4-pc-peqa", "PEQA as published, with zero points"},
    {"w4-pc-q4.4-r32", "LR-QAT (Bondarenko et al. 2024, arXiv 2406.06385), its default: Q4.4"},
    {"w3-pc-q3.5-r32", "LR-QAT with 3 bits"},
    {"w2-pc-q2.6-r32", "LR-QAT with 2 bits"},
    {"w4-pc-q4.4-r32-l4", "LR-QAT with the range of its published 4-bit command"},
    {"w3-g64-q3.5-r8", "LR-QAT, a scale for each 64 inputs"},
    {"w4-pc-int4-r8", "LR-QAT with packed integers as its base: half a byte a weight"},
    {"w4-pc-bf16-r8", "LR-QAT with a bfloat16 base"},
    {"w4-pc-fp32-r8", "LR-QAT with a float32 base: no rounding of the base at all"},
    {"u2-pc-q2.6-r8", "LR-QAT with 2 bits and zero points"},
    {"w4-pc-wd-r8", "a LoRA inside the rounding, in weight units; merges exactly"},
    {"w4a8-pc-q4.4-r8", "LR-QAT with 8-bit activations, W4A8 of its tables"},
    {"w4a8kv4-pc-q4.4-r8", "the same with keys and values in 4 bits, W4A8-KV4"},
    {"w4a4-pc-q4.4-r8", "everything in 4 bits, W4A4"},
    {"w4a8r-pc-q4.4-r8", "8-bit activations with real zero points, as published"},
    {"w4kv4-pc-rtn", "weights and the KV cache in 4 bits, nothing trained"},
    {"w4-pc-lsq", "full QAT, LR-QAT's LSQ baseline (after Esser et al. 2020)"},
};

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_KNOWN_SCHEMES_HPP
