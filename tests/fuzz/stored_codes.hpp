// SPDX-License-Identifier: MIT
// tests/fuzz/stored_codes.hpp: what holds for the codes of any file that was read.
#ifndef LRQAT_TESTS_FUZZ_STORED_CODES_HPP
#define LRQAT_TESTS_FUZZ_STORED_CODES_HPP

#include "answers.hpp"

#include <lrqat/io/stored_llama.hpp>

namespace lrqat::fuzz {

inline void must_fill_their_shapes(const StoredLlama& read) {
  detail::for_each_linear_name(read.weights.config, [&](const LinearName& which) {
    const MergedWeight* const stored = read.layer(which);
    if (stored == nullptr) return;
    must(stored->codes.size() == stored->shape.size(), "codes do not fill the shape");
    must(stored->scales.size() == stored->layout.size(), "scales do not fill the layout");
    must(stored->zero_points.size() == (stored->has_zero_point ? stored->scales.size() : 0),
         "not one zero point a scale");
  });
}

}  // namespace lrqat::fuzz

#endif  // LRQAT_TESTS_FUZZ_STORED_CODES_HPP
