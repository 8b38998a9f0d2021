// SPDX-License-Identifier: MIT
// examples/lab/methods/complex.cpp: real layers as complex ones on fourth roots of unity.
#include "method.hpp"

#include <lrqat/granularity/per_channel.hpp>
#include <lrqat/method/fairy.hpp>

namespace lrqat::lab {

namespace {

template <int Stages>
using Fairy = method::Fairy2i<static_cast<std::size_t>(Stages), PerChannel>;

AnyLinear fairy_start(const LayerJob& job) {
  return with_bits<2, 1>(job.bits, [&](auto bits) {
    return AnyLinear(widely_linear_layer<Fairy<bits>>(job.weight, job.options));
  });
}

/// A real weight takes one bit a stage; a pair of rows has two forms of two 16-bit scales a stage.
double fairy_bits(Shape weight, int stages, std::size_t) {
  return stages *
         (static_cast<double>(weight.size()) + 2 * 2 * 16.0 * static_cast<double>(weight.rows / 2));
}

}  // namespace

void add_complex_methods(std::vector<PaperMethod>& all) {
  all.push_back({.name = "fairy2i",
                 .source = "Wang et al., arXiv 2512.02901, scales of rows",
                 .bits = {2, 1},
                 .size = fairy_bits,
                 .layer = fairy_start,
                 .rates = full_rates,
                 .finished = [](const AnyLinear& layer, int) { return layer.merge(); }});
}

}  // namespace lrqat::lab
