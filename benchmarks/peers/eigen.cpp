// SPDX-License-Identifier: MIT
// benchmarks/peers/eigen.cpp: Eigen, compiled for the instruction sets of this machine.
#include "peers.hpp"

#include <Eigen/Core>

namespace {

using lrqat::benchmarks::LinearSizes;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

class EigenPeer : public lrqat::benchmarks::Peer {
 public:
  EigenPeer(const LinearSizes& sizes, int threads)
      : x_(filled(sizes.tokens, sizes.in, 0.5f)),
        weight_(filled(sizes.out, sizes.in, 0.25f)),
        grad_y_(filled(sizes.tokens, sizes.out, 0.125f)),
        y_(grad_y_),
        grad_x_(x_),
        grad_weight_(weight_) {
    Eigen::setNbThreads(threads);
  }
  void forward() override { y_.noalias() = x_ * weight_.transpose(); }
  void backward() override {
    grad_x_.noalias() = grad_y_ * weight_;
    grad_weight_.noalias() = grad_y_.transpose() * x_;
  }

 private:
  static Matrix filled(std::size_t rows, std::size_t cols, float value) {
    return Matrix::Constant(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(cols),
                            value);
  }
  Matrix x_, weight_, grad_y_, y_, grad_x_, grad_weight_;
};

const lrqat::benchmarks::AddPeer added{
    "eigen_float",
    [](const LinearSizes& sizes, int threads) -> std::unique_ptr<lrqat::benchmarks::Peer> {
      return std::make_unique<EigenPeer>(sizes, threads);
    }};

}  // namespace
