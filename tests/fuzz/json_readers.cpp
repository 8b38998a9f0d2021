// SPDX-License-Identifier: MIT
// tests/fuzz/json_readers.cpp: targets for the formats with a JSON header, in one piece because
// the parser's templates are most of what there is to compile.
#include "answers.hpp"
#include "stored_codes.hpp"
#include "targets.hpp"

#include <lrqat/io/hugging_face.hpp>
#include <lrqat/io/packed_hugging_face.hpp>
#include <lrqat/io/safetensors.hpp>
#include <lrqat/train/checkpoint.hpp>
#include <lrqat/train/step_log.hpp>

#include "training_run.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lrqat::fuzz {

namespace {

void must_be_equal(const SafetensorsFile& a, const SafetensorsFile& b) {
  must(a.names() == b.names() && a.metadata() == b.metadata(), "written and read, names differ");
  for (const std::string& name : a.names()) {
    must(a.at(name).dtype == b.at(name).dtype && a.at(name).shape == b.at(name).shape &&
             std::ranges::equal(a.bytes(name), b.bytes(name)),
         "written and read, a tensor differs");
  }
}

/// The part of the input before the next separator, which is taken off with it.
std::span<const std::byte> next_file(std::span<const std::byte>& input) {
  const auto separator = std::as_bytes(std::span(file_separator)).first(sizeof file_separator - 1);
  const auto found = std::search(input.begin(), input.end(), separator.begin(), separator.end());
  const auto file = input.first(static_cast<std::size_t>(found - input.begin()));
  input = input.subspan(file.size());
  input = input.subspan(std::min(input.size(), separator.size()));
  return file;
}

}  // namespace

void safetensors(std::span<const std::byte> input) {
  const std::filesystem::path path = put("some.safetensors", input);
  has_result([&] {
    const SafetensorsFile file(path);
    std::vector<TensorToWrite> tensors;
    for (const std::string& name : file.names()) {
      const TensorInfo& tensor = file.at(name);
      tensors.push_back({name, tensor.dtype, tensor.shape, file.bytes(name)});
      has_result([&] { file.floats(name, tensor.shape); });
    }
    write_safetensors(folder() / "again.safetensors", tensors, file.metadata());
    must_be_equal(file, SafetensorsFile(folder() / "again.safetensors"));
  });
}

void checkpoint(std::span<const std::byte> input) {
  const std::filesystem::path path = put("run.safetensors", input);
  TrainingRun run;
  const std::vector<float> before = run.everything();
  const bool is_restored =
      has_result([&] { restore_checkpoint(path, TrainingRun::fingerprint, run.optimizer); });
  if (!is_restored) {
    must(run.everything() == before && run.optimizer.steps() == 0, "an error, but half restored");
    return;
  }
  run.optimizer.step();  // what comes out of a checkpoint can be trained on
  for (const float number : run.everything())
    must(!std::isnan(number), "a step from the checkpoint gives NaN");
}

void step_log(std::span<const std::byte> input) {
  if (input.empty()) return;
  const auto step = std::to_integer<std::uint64_t>(input[0]);
  const auto bytes = input.subspan(1);
  const std::filesystem::path path = put("log.jsonl", bytes);
  const bool is_opened = has_result([&] { StepLog(path, step).append({.step = step + 1}); });
  const MappedFile now(path);
  if (!is_opened) must(std::ranges::equal(now.bytes(), bytes), "an error, but shortened");
  if (is_opened) StepLog(path, step + 1);  // what it wrote, it reads
}

void hugging_face_config(std::span<const std::byte> input) {
  const std::filesystem::path path = put("config.json", input);
  has_result([&] {
    const LlamaConfig config = detail::HuggingFaceConfig(path).read();
    detail::check_config(config, "what was read");
    if (config.head_dim > 1024) return;
    for (const float divisor : rope_divisors(config.rope_scaling, config.head_dim,
                                             static_cast<double>(config.rope_theta)))
      must(std::isfinite(divisor) && divisor > 0.0f, "a frequency divided by no number");
  });
}

void hugging_face(std::span<const std::byte> input) {
  put("config.json", next_file(input));
  const auto index = next_file(input);
  for (const char* name :
       {"model.safetensors", "model.safetensors.index.json", "model-1.safetensors"})
    std::filesystem::remove(folder() / name);
  if (index.empty()) {
    put("model.safetensors", next_file(input));
  } else {
    put("model.safetensors.index.json", index);
    put("model-1.safetensors", next_file(input));
    put("model-2.safetensors", next_file(input));
  }
  has_result([&] {
    const LlamaWeights weights = read_hugging_face(folder().path());
    detail::check_weights(weights, "what was read");
  });
}

void packed_hugging_face(std::span<const std::byte> input) {
  put("config.json", next_file(input));
  std::filesystem::remove(folder() / "model.safetensors.index.json");
  put("model.safetensors", next_file(input));
  has_result([&] {
    const StoredLlama read = read_packed_hugging_face(folder().path());
    detail::check_weights(read.weights, "what was read");
    must_fill_their_shapes(read);
  });
}

}  // namespace lrqat::fuzz
