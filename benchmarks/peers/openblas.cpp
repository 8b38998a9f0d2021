// SPDX-License-Identifier: MIT
// benchmarks/peers/openblas.cpp: OpenBLAS in float32.
#include "peers.hpp"

#include <cblas.h>

namespace {

using lrqat::benchmarks::LinearSizes;

class OpenBlasPeer : public lrqat::benchmarks::Peer {
 public:
  OpenBlasPeer(const LinearSizes& sizes, int threads)
      : out_(static_cast<int>(sizes.out)),
        in_(static_cast<int>(sizes.in)),
        tokens_(static_cast<int>(sizes.tokens)),
        x_(sizes.tokens * sizes.in, 0.5f),
        weight_(sizes.out * sizes.in, 0.25f),
        grad_y_(sizes.tokens * sizes.out, 0.125f),
        y_(grad_y_.size()),
        grad_x_(x_.size()),
        grad_weight_(weight_.size()) {
    openblas_set_num_threads(threads);
  }
  void forward() override {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, tokens_, out_, in_, 1.0f, x_.data(), in_,
                weight_.data(), in_, 0.0f, y_.data(), out_);
  }
  void backward() override {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, tokens_, in_, out_, 1.0f, grad_y_.data(),
                out_, weight_.data(), in_, 0.0f, grad_x_.data(), in_);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, out_, in_, tokens_, 1.0f, grad_y_.data(),
                out_, x_.data(), in_, 0.0f, grad_weight_.data(), in_);
  }

 private:
  int out_, in_, tokens_;
  std::vector<float> x_, weight_, grad_y_, y_, grad_x_, grad_weight_;
};

const lrqat::benchmarks::AddPeer added{
    "openblas_float",
    [](const LinearSizes& sizes, int threads) -> std::unique_ptr<lrqat::benchmarks::Peer> {
      return std::make_unique<OpenBlasPeer>(sizes, threads);
    }};

}  // namespace
