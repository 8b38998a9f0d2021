// SPDX-License-Identifier: MIT
// tests/compile_fail/codebook_descending.cpp: a table out of order.
// expect: Codebook<Table>: levels are in ascending order.
#include <lrqat/grid/codebook.hpp>

struct Ascending {
  static constexpr std::array<float, 2> levels{-1.0f, 1.0f};
};
struct Descending {
  static constexpr std::array<float, 2> levels{1.0f, -1.0f};
};

#ifdef LRQAT_CONTROL
using Policy = lrqat::Codebook<Ascending>;
#else
using Policy = lrqat::Codebook<Descending>;
#endif

static_assert(Policy::bits == 1);
