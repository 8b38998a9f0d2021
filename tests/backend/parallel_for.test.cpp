// SPDX-License-Identifier: MIT
// tests/backend/parallel_for.test.cpp: every task once, the same results for any thread count.
#include <lrqat/backend/parallel_for.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

/// Leaves the thread count as it was.
struct ThreadGuard {
  int before = lrqat::thread_count();
  ~ThreadGuard() { lrqat::set_thread_count(before); }
};

#if defined(_OPENMP)
constexpr int thread_counts[] = {1, 2, 3, 7};
#else
constexpr int thread_counts[] = {1};
#endif

}  // namespace

TEST_CASE("parallel_for: every task runs once", "[backend]") {
  const ThreadGuard guard;
  for (const int threads : thread_counts) {
    lrqat::set_thread_count(threads);
    for (const std::size_t tasks : {0u, 1u, 2u, 6u, 7u, 8u, 100u}) {
      std::vector<std::atomic<int>> calls(tasks);
      lrqat::parallel_for(tasks, [&](std::size_t task) { ++calls[task]; });
      for (const auto& count : calls) REQUIRE(count == 1);
    }
  }
}

TEST_CASE("parallel_for: results do not depend on the thread count", "[backend]") {
  const ThreadGuard guard;
  std::vector<float> expected;
  for (const int threads : thread_counts) {
    lrqat::set_thread_count(threads);
    std::vector<float> sums(53);
    lrqat::parallel_for(sums.size(), [&](std::size_t task) {
      for (std::size_t i = 0; i < 100; ++i)
        sums[task] += std::sin(static_cast<float>(100 * task + i));
    });
    if (expected.empty()) expected = sums;
    CHECK(sums == expected);
  }
}

TEST_CASE("parallel_for: the exception of the lowest task comes out, once", "[backend]") {
  const ThreadGuard guard;
  for (const int threads : thread_counts) {
    lrqat::set_thread_count(threads);
    for (const std::size_t first_bad : {0u, 5u, 13u, 19u}) {
      std::string message;
      try {
        lrqat::parallel_for(20, [&](std::size_t task) {
          if (task >= first_bad) throw std::runtime_error("task " + std::to_string(task));
        });
      } catch (const std::runtime_error& error) {
        message = error.what();
      }
      CHECK(message == "task " + std::to_string(first_bad));
    }
    std::atomic<int> calls = 0;  // and the threads are still good
    lrqat::parallel_for(9, [&](std::size_t) { ++calls; });
    CHECK(calls == 9);
  }
}

TEST_CASE("parallel_for: a nested call runs on its own thread", "[backend]") {
  const ThreadGuard guard;
  for (const int threads : thread_counts) {
    lrqat::set_thread_count(threads);
    std::vector<std::vector<std::size_t>> order(5);
    lrqat::parallel_for(order.size(), [&](std::size_t outer) {
      lrqat::parallel_for(4, [&](std::size_t inner) { order[outer].push_back(inner); });
    });
    // push_back would race, and the order vary, were the inner tasks spread.
    if (threads > 1)
      for (const auto& inner : order) CHECK(inner == std::vector<std::size_t>{0, 1, 2, 3});
  }
}

TEST_CASE("set_thread_count: less than one thread is an error", "[backend]") {
  CHECK(lrqat::thread_count() >= 1);
  CHECK_THROWS_WITH(lrqat::set_thread_count(0),
                    "set_thread_count: 0 threads asked for, at least 1 is needed");
  CHECK_THROWS_AS(lrqat::set_thread_count(-3), lrqat::Error);
}

#if !defined(_OPENMP)
TEST_CASE("set_thread_count: without OpenMP only one thread can be had", "[backend]") {
  CHECK_NOTHROW(lrqat::set_thread_count(1));
  CHECK_THROWS_WITH(lrqat::set_thread_count(2),
                    "set_thread_count: 2 threads asked for, but this program was compiled without "
                    "OpenMP (-fopenmp)");
}
#endif
