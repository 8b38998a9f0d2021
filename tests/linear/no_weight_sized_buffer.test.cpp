// SPDX-License-Identifier: MIT
// tests/linear/no_weight_sized_buffer.test.cpp: the passes of a large layer allocate no second copy
// of its weight. Counts every operator new of this program.
#include <lrqat/lrqat.hpp>

#include <catch2/catch.hpp>
#include <lab/counted_new.hpp>
#include <support/machine.hpp>
#include <support/matrix.hpp>

#include <atomic>
#include <thread>

namespace lrqat::test {
namespace {

/// Bytes that are allocated now, their maximum, and the largest single request.
struct Counter {
  std::atomic<std::size_t> bytes{0}, peak{0}, largest{0};

  static void raise(std::atomic<std::size_t>& mark, std::size_t value) {
    std::size_t seen = mark.load();
    while (seen < value && !mark.compare_exchange_weak(seen, value)) {
    }
  }
};

Counter counter;

}  // namespace
}  // namespace lrqat::test

void counted::on_new(std::size_t size) {
  lrqat::test::Counter& counter = lrqat::test::counter;
  lrqat::test::Counter::raise(counter.largest, size);
  lrqat::test::Counter::raise(counter.peak, counter.bytes.fetch_add(size) + size);
}
void counted::on_delete(std::size_t size) { lrqat::test::counter.bytes.fetch_sub(size); }

namespace lrqat::test {
namespace {

constexpr double mebibyte = 1024.0 * 1024.0;

struct Peak {
  std::size_t forward, backward, largest;
};

/// What the passes add to the memory in use. The first ones: later passes reuse their scratch.
template <class Layer>
Peak peak_of_passes(Shape shape, std::size_t tokens) {
  Matrix weight(shape.rows, shape.cols);
  const CounterRng random(1, 1);
  for (std::size_t i = 0; i < weight.values.size(); ++i)
    weight.values[i] = 0.02f * (random.uniform(i) - 0.5f);
  Layer layer(weight.view());
  randomize_adapter(layer, 0.1f, 2);
  const Matrix x = random_matrix(tokens, shape.cols, 1.0f, 3),
               grad_y = random_matrix(tokens, shape.rows, 1.0f, 4);
  Matrix y(tokens, shape.rows), grad_x(tokens, shape.cols);

  const std::size_t before = counter.bytes;
  const auto measure = [&](auto pass) {
    counter.peak = counter.bytes.load();
    pass();
    return counter.peak - before;
  };
  counter.largest = 0;
  Peak peak{};
  peak.forward = measure([&] { layer.forward(x.view(), y.view()); });
  peak.backward = measure([&] { layer.backward(x.view(), grad_y.view(), grad_x.view()); });
  peak.largest = counter.largest;
  return peak;
}

template <class Layer>
void check_passes(const std::string& name, Shape shape, std::size_t tokens) {
  const std::size_t weight_in_floats = shape.size() * sizeof(float);
  const MachineSettings restored;
  set_thread_count(thread_counts({2}).front());
  // Scratch belongs to threads: a new one, with a team of its own, starts without any.
  Peak peak{};
  std::thread([&] { peak = peak_of_passes<Layer>(shape, tokens); }).join();
  WARN(name << ", (" << shape.rows << ", " << shape.cols << "), " << tokens << " tokens, "
            << thread_count() << " threads: forward "
            << static_cast<double>(peak.forward) / mebibyte << " MiB, backward "
            << static_cast<double>(peak.backward) / mebibyte << " MiB, largest buffer "
            << static_cast<double>(peak.largest) / mebibyte << " MiB; the weight in floats "
            << static_cast<double>(weight_in_floats) / mebibyte << " MiB");
  CHECK(static_cast<double>(peak.forward) <= 8 * mebibyte);
  CHECK(static_cast<double>(peak.backward) <= 8 * mebibyte);
  CHECK(peak.largest <= weight_in_floats / 8);
}

TEST_CASE("Passes allocate nothing of the weight's size", "[linear]") {
  check_passes<QuantLinear<Int<4>, FixedPoint, LowRank<32>>>("FixedPoint", {4096, 4096}, 64);
  check_passes<QuantLinear<Int<4>, Packed, LowRank<32>>>("Packed", {4096, 4096}, 64);
}

// The rows of a weight and the tokens are what scratch grows with.
TEST_CASE("Passes keep to 8 MiB of scratch for many outputs and tokens", "[linear]") {
  check_passes<QuantLinear<Int<4>, FixedPoint, LowRank<32>>>("FixedPoint", {11008, 1024}, 1024);
  check_passes<QuantLinear<Int<4>, FixedPoint, LowRank<32>, Compute<bf16>>>("bfloat16",
                                                                            {11008, 1024}, 1024);
}

/// Making a layer from rows: besides itself it takes the chosen scales and a few rows.
template <class Layer>
void check_making(Shape shape) {
  const MachineSettings restored;
  set_thread_count(thread_counts({2}).front());
  const auto rows = [](std::size_t row, std::span<float> values) {
    for (std::size_t j = 0; j < values.size(); ++j)
      values[j] = static_cast<float>((row * 7 + j * 3) % 17) - 8.0f;
  };
  std::size_t kept = 0, base = 0, qparams = 0, beside = 0, largest = 0;
  std::thread([&] {
    const std::size_t before = counter.bytes;
    counter.peak = before;
    counter.largest = 0;
    const Layer layer(shape, rows);
    beside = counter.peak - before - layer.bytes().total();
    largest = counter.largest;
    kept = layer.bytes().total();
    base = layer.bytes().base;
    qparams = layer.weight().layout().size() * sizeof(QParams);
  }).join();
  WARN("made from rows, (" << shape.rows << ", " << shape.cols << "): "
                           << static_cast<double>(kept) / mebibyte << " MiB kept, "
                           << static_cast<double>(beside) / mebibyte << " MiB beside, largest "
                           << static_cast<double>(largest) / mebibyte << " MiB");
  CHECK(beside <= qparams + (std::size_t{1} << 18));
  CHECK(largest <= base + 4096);
}

TEST_CASE("A layer made from rows never holds its weight in floats", "[linear]") {
  check_making<QuantLinear<Int<4>, Packed, LowRank<8>>>({4096, 4096});
  check_making<QuantLinear<Int<4>, FixedPoint, LowRank<8>, LpSearch<2>>>({512, 4096});
  check_making<QuantLinear<UInt<4>, Packed, PerGroup<128>, LowRank<8>>>({4096, 4096});
}

TEST_CASE("The counter sees a backend that does make a copy of the weight", "[linear]") {
  const Peak peak = peak_of_passes<QuantLinear<Int<4>, FixedPoint, LowRank<2>, Reference>>({256, 256}, 2);
  CHECK(peak.forward >= 256 * 256 * sizeof(float));
  CHECK(peak.backward >= 2 * 256 * 256 * sizeof(float));
}

}  // namespace
}  // namespace lrqat::test
