// SPDX-License-Identifier: MIT
// backend/parallel_for.hpp: the threads of the library.
#ifndef LRQAT_BACKEND_PARALLEL_FOR_HPP
#define LRQAT_BACKEND_PARALLEL_FOR_HPP

#include <lrqat/core/expects.hpp>  // expects

#include <cstddef>
#include <exception>
#if defined(_OPENMP)
#include <omp.h>
#endif

namespace lrqat {

namespace detail {

/// 0 until somebody asks or sets.
inline int& chosen_thread_count() {
  static int chosen = 0;
  return chosen;
}

}  // namespace detail

/// How many threads parallel_for uses: the last set_thread_count, otherwise what OpenMP offers (all
/// cores, or OMP_NUM_THREADS), otherwise 1.
inline int thread_count() {
  int& chosen = detail::chosen_thread_count();
  if (chosen == 0) {
#if defined(_OPENMP)
    chosen = omp_get_max_threads();
#else
    chosen = 1;
#endif
  }
  return chosen;
}

/// Errors: count < 1; count > 1 in a program compiled without OpenMP. Call it while no
/// parallel_for is running.
inline void set_thread_count(int count) {
  expects(count >= 1, "set_thread_count: ", count, " threads asked for, at least 1 is needed");
#if !defined(_OPENMP)
  expects(count == 1, "set_thread_count: ", count,
          " threads asked for, but this program was compiled without OpenMP (-fopenmp)");
#endif
  detail::chosen_thread_count() = count;
}

/// Calls body(task) once for each task of [0, tasks), on up to thread_count() threads; each thread
/// takes one range of neighbouring tasks in ascending order. Tasks must not write what another one
/// reads or writes; then the results are the same for any number of threads.
///
/// A call from inside a body runs on the calling thread alone. When bodies throw, the exception of
/// the lowest such task is rethrown, whatever the number of threads; each thread stops at its
/// first.
template <class Body>
void parallel_for(std::size_t tasks, Body&& body) {
#if defined(_OPENMP)
  const std::size_t wanted = static_cast<std::size_t>(thread_count());
  const std::size_t threads = wanted < tasks ? wanted : tasks;
  if (threads > 1 && !omp_in_parallel()) {
    std::exception_ptr failure;
    std::size_t failed_task = tasks;
    const int team_size = static_cast<int>(threads);
#pragma omp parallel num_threads(team_size)
    {
      const auto me = static_cast<std::size_t>(omp_get_thread_num());
      const auto team = static_cast<std::size_t>(omp_get_num_threads());
      const std::size_t share = tasks / team, longer = tasks % team;
      std::size_t task = me * share + (me < longer ? me : longer);
      const std::size_t end = task + share + (me < longer ? 1 : 0);
      try {
        for (; task < end; ++task) body(task);
      } catch (...) {
#pragma omp critical(lrqat_parallel_for_failure)
        if (task < failed_task) {
          failed_task = task;
          failure = std::current_exception();
        }
      }
    }
    if (failure) std::rethrow_exception(failure);
    return;
  }
#endif
  for (std::size_t task = 0; task < tasks; ++task) body(task);
}

}  // namespace lrqat

#endif  // LRQAT_BACKEND_PARALLEL_FOR_HPP
