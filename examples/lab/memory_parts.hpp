// SPDX-License-Identifier: MIT
// examples/lab/memory_parts.hpp: the memory of a training run by part, against the system's count.
#ifndef LRQAT_LAB_MEMORY_PARTS_HPP
#define LRQAT_LAB_MEMORY_PARTS_HPP

#include "model.hpp"

#include <lrqat/io/json_line.hpp>  // JsonObject

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace lrqat::lab {

struct MemoryPart {
  const char* key;    // in JSON
  const char* label;  // for a person
  std::size_t bytes;
};

struct MemoryParts {
  std::vector<MemoryPart> parts;
  std::optional<std::size_t> resident;  // at its peak, see peak_resident_bytes()

  std::size_t sum() const;
  /// The sum less what was resident, as a part of that; 0 where the system does not tell.
  double difference() const;
};

/// The parts of a model after its training with AdamW: what its layers, frame and activations hold,
/// the optimizer's two moments, as working memory whatever else allocators had given out at the
/// peak (the threads' scratch, the tokens), and the pages of the program and its libraries.
MemoryParts memory_parts(Model& model);

/// One number for each part, "sum", and "resident_peak" (null where the system does not tell).
JsonObject memory_json(const MemoryParts& memory);

/// Lines of a table in MiB. A last sentence says so where sum and system differ by more than 5 %.
std::string memory_text(const MemoryParts& memory);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_MEMORY_PARTS_HPP
