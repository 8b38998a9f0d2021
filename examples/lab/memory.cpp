// SPDX-License-Identifier: MIT
// examples/lab/memory.cpp: counted allocations, and the working memory that they show.
#include "memory.hpp"

#include "counted_new.hpp"

#include <lrqat/core/aligned.hpp>

#include <atomic>
#include <exception>
#include <fstream>
#include <string>
#include <thread>

namespace {

std::atomic<std::size_t> live_bytes{0}, most_live_bytes{0};

}  // namespace

void counted::on_new(std::size_t size) {
  const std::size_t now = live_bytes.fetch_add(size, std::memory_order_relaxed) + size;
  std::size_t most = most_live_bytes.load(std::memory_order_relaxed);
  while (most < now && !most_live_bytes.compare_exchange_weak(most, now)) continue;
}
void counted::on_delete(std::size_t size) {
  live_bytes.fetch_sub(size, std::memory_order_relaxed);
}

namespace lrqat::lab {

namespace {

/// Threads keep their buffers (core/scratch.hpp) until they end, so new threads show all of them.
std::size_t working_memory(Model& model, std::size_t tokens) {
  std::size_t bytes = 0;
  std::exception_ptr failure;
  std::thread probe([&] {
    try {
      model.for_each_linear([&](const LinearName& which, AnyLinear& layer) {
        if (which.block != 0) return;
        // Zeros: nothing is added to the gradients.
        AlignedVector<float> x(tokens * layer.in_features()), y(tokens * layer.out_features());
        AlignedVector<float> grad_x(x.size());
        const MatrixView<float> input(x.data(), tokens, layer.in_features());
        const MatrixView<float> output(y.data(), tokens, layer.out_features());
        const std::size_t before = live_bytes.load();
        layer.forward(input, output);
        layer.backward(input, output, {grad_x.data(), tokens, layer.in_features()});
        bytes += live_bytes.load() - before;
      });
    } catch (...) {
      failure = std::current_exception();
    }
  });
  probe.join();
  if (failure) std::rethrow_exception(failure);
  return bytes;
}

/// A line of /proc/self/status that is in kB.
std::optional<std::size_t> status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::size_t kibibytes = 0;
    if (word == key && status >> kibibytes) return kibibytes * 1024;
  }
  return std::nullopt;
}

}  // namespace

std::size_t peak_allocated_bytes() { return most_live_bytes.load(); }

std::optional<std::size_t> peak_resident_bytes() { return status_bytes("VmHWM:"); }

std::optional<std::size_t> resident_file_bytes() { return status_bytes("RssFile:"); }

std::size_t linear_peak_bytes(Model& model, std::size_t tokens) {
  LayerBytes layers;
  std::size_t moments = 0;
  model.for_each_linear([&](const LinearName&, AnyLinear& layer) {
    layers += layer.bytes();
    for (const Parameter<float>& parameter : layer.parameters())
      moments += 2 * parameter.value.size_bytes();
  });
  return layers.total() + moments + working_memory(model, tokens);
}

}  // namespace lrqat::lab
