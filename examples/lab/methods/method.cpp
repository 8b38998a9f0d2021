// SPDX-License-Identifier: MIT
// examples/lab/methods/method.cpp: the list of methods, and what their layers weigh.
#include "method.hpp"

namespace lrqat::lab {

void add_rounding_methods(std::vector<PaperMethod>& all);
void add_scale_methods(std::vector<PaperMethod>& all);
void add_calibrated_methods(std::vector<PaperMethod>& all);
void add_low_rank_methods(std::vector<PaperMethod>& all);
void add_full_methods(std::vector<PaperMethod>& all);
void add_branch_methods(std::vector<PaperMethod>& all);
void add_salient_methods(std::vector<PaperMethod>& all);
void add_complex_methods(std::vector<PaperMethod>& all);
void add_staged_methods(std::vector<PaperMethod>& all);
void add_clipped_methods(std::vector<PaperMethod>& all);
void add_split_methods(std::vector<PaperMethod>& all);

std::vector<PaperMethod> paper_methods() {
  std::vector<PaperMethod> all;
  add_rounding_methods(all);
  add_calibrated_methods(all);
  add_clipped_methods(all);
  add_split_methods(all);
  add_scale_methods(all);
  add_low_rank_methods(all);
  add_full_methods(all);
  add_branch_methods(all);
  add_salient_methods(all);
  add_complex_methods(all);
  add_staged_methods(all);
  return all;
}

LearningRates lr_qat_rates(int bits) {
  return learning_rates({.method = Method::lr_qat, .bits = bits});
}

LearningRates full_rates(int bits) {
  return {bits <= 2 ? 3e-3 : bits == 3 ? 1e-3 : 5e-4, bits <= 2 ? 1e-3 : 3e-4};
}

BitCount codes_per_channel(double more) {
  return [=](Shape weight, int bits, std::size_t) {
    return bits * static_cast<double>(weight.size()) +
           (16 + more) * static_cast<double>(weight.rows);
  };
}

double codes_and_zero_points(Shape weight, int bits, std::size_t rank) {
  return codes_per_channel(bits)(weight, bits, rank);
}

BitCount codes_per_group(std::size_t group, double more) {
  return [=](Shape weight, int bits, std::size_t) {
    const std::size_t cells = weight.rows * ((weight.cols + group - 1) / group);
    return bits * static_cast<double>(weight.size()) + (16 + more) * static_cast<double>(cells);
  };
}

BitCount beside_branch(BitCount codes) {
  return [codes = std::move(codes)](Shape weight, int bits, std::size_t rank) {
    return codes(weight, bits, rank) +
           16.0 * static_cast<double>(rank * (weight.rows + weight.cols));
  };
}

}  // namespace lrqat::lab
