// SPDX-License-Identifier: MIT
// examples/lab/memory_parts.cpp: the parts added up.
#include "memory_parts.hpp"

#include "joined.hpp"
#include "memory.hpp"

#include <cmath>
#include <cstdio>

namespace lrqat::lab {

std::size_t MemoryParts::sum() const {
  std::size_t bytes = 0;
  for (const MemoryPart& part : parts) bytes += part.bytes;
  return bytes;
}

double MemoryParts::difference() const {
  if (!resident || *resident == 0) return 0;
  return (static_cast<double>(sum()) - static_cast<double>(*resident)) /
         static_cast<double>(*resident);
}

MemoryParts memory_parts(Model& model) {
  LayerBytes layers;
  model.for_each_linear([&](const LinearName&, AnyLinear& layer) { layers += layer.bytes(); });
  std::size_t moments = 0;
  for (const Parameter<float>& parameter : model.parameters())
    moments += 2 * parameter.value.size_bytes();
  MemoryParts memory;
  memory.parts = {{"base", "frozen weights", layers.base},
                  {"scales", "scales", layers.scales},
                  {"adapters", "adapters", layers.adapter},
                  {"gradients", "gradients", layers.gradients},
                  {"moments", "optimizer moments", moments},
                  {"embedding_and_head", "embedding, head, norms", model.frame().bytes()},
                  {"activations", "activations", model.activation_bytes()}};
  const std::size_t allocated = peak_allocated_bytes(), known = memory.sum();
  memory.parts.push_back(
      {"working", "working memory, others", allocated > known ? allocated - known : 0});
  memory.parts.push_back({"program", "program and libraries", resident_file_bytes().value_or(0)});
  memory.resident = peak_resident_bytes();
  return memory;
}

JsonObject memory_json(const MemoryParts& memory) {
  JsonObject object;
  for (const MemoryPart& part : memory.parts) object[part.key] = part.bytes;
  object["sum"] = memory.sum();
  object["resident_peak"] = nullptr;
  if (memory.resident) object["resident_peak"] = *memory.resident;
  return object;
}

std::string memory_text(const MemoryParts& memory) {
  std::string text;
  const auto line = [&text](const char* label, std::size_t bytes) {
    char digits[80];
    std::snprintf(digits, sizeof digits, "    %-24s%10.1f MiB\n", label,
                  static_cast<double>(bytes) / (1 << 20));
    text += digits;
  };
  for (const MemoryPart& part : memory.parts) line(part.label, part.bytes);
  line("sum", memory.sum());
  if (!memory.resident) return text + "  the system does not tell what was resident\n";
  line("resident at the peak", *memory.resident);
  if (std::fabs(memory.difference()) > 0.05)
    text += joined("  the sum is ", std::round(1000 * memory.difference()) / 10,
                   " % from what was resident (VmHWM): something is not in the parts\n");
  return text;
}

}  // namespace lrqat::lab
