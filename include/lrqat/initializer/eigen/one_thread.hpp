// SPDX-License-Identifier: MIT
// initializer/eigen/one_thread.hpp: Eigen on the calling thread alone. Opt-in.
#ifndef LRQAT_INITIALIZER_EIGEN_ONE_THREAD_HPP
#define LRQAT_INITIALIZER_EIGEN_ONE_THREAD_HPP

#include <Eigen/Core>

namespace lrqat {

/// While it lives, Eigen's products use one thread: with more, their blocks, and so their bits,
/// depend on how many. Eigen keeps the number in a global variable, so two of these on two threads
/// may leave it at 1.
class OneEigenThread {
 public:
  OneEigenThread() : before_(Eigen::nbThreads()) { Eigen::setNbThreads(1); }
  ~OneEigenThread() { Eigen::setNbThreads(before_); }
  OneEigenThread(const OneEigenThread&) = delete;
  OneEigenThread& operator=(const OneEigenThread&) = delete;

 private:
  int before_;
};

}  // namespace lrqat

#endif  // LRQAT_INITIALIZER_EIGEN_ONE_THREAD_HPP
