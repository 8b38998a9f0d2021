// SPDX-License-Identifier: MIT
// examples/lab/memory.hpp: what the linear layers of a model take while they are trained.
#ifndef LRQAT_LAB_MEMORY_HPP
#define LRQAT_LAB_MEMORY_HPP

#include "model.hpp"

#include <cstddef>
#include <optional>

namespace lrqat::lab {

/// Bytes at the peak of a training step that belong to the linear layers:
///   * what the layers hold (LayerBytes): base, scales, adapters or weights, gradients of all
///   trained;
///   * two float32 moments of AdamW for each trained number;
///   * the backend's working memory on all threads, measured: what allocators give out while every
///     kind of layer runs forward and backward over `tokens` tokens on a new team of threads. It is
///     shared by the layers and kept between steps.
/// Activations and the model's embeddings and norms are not in it.
std::size_t linear_peak_bytes(Model& model, std::size_t tokens);

/// The most that allocators had given out at once since the program began.
std::size_t peak_allocated_bytes();

/// The most memory that was resident since the program began: VmHWM of /proc/self/status. None
/// where the system does not tell.
std::optional<std::size_t> peak_resident_bytes();

/// Resident pages of files, the program and its libraries above all: RssFile of /proc/self/status.
std::optional<std::size_t> resident_file_bytes();

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_MEMORY_HPP
