// SPDX-License-Identifier: MIT
// train/checkpoint.hpp: a training run on disk, complete or not at all.
#ifndef LRQAT_TRAIN_CHECKPOINT_HPP
#define LRQAT_TRAIN_CHECKPOINT_HPP

#include <lrqat/core/aligned.hpp>
#include <lrqat/core/expects.hpp>
#include <lrqat/io/detail/bytes.hpp>
#include <lrqat/io/safetensors.hpp>
#include <lrqat/optim/adamw.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <system_error>
#include <vector>

namespace lrqat {

/// Where a run stands, besides its parameters and moments.
struct Progress {
  std::uint64_t step = 0;  // steps done
  double seconds = 0;      // spent on them
};

/// Numbers that a run remembers besides its parameters and moments: they belong to its bits, and so
/// to its checkpoint, under a name of their own. They must be finite.
struct KeptNumbers {
  std::string name;
  std::span<float> numbers;
};

namespace detail {

/// A tensor of a checkpoint and the numbers in memory that belong to it.
struct CheckpointTensor {
  std::string name;
  std::span<float> numbers;
  bool is_square;  // a running mean of squares: never negative
};

inline std::vector<CheckpointTensor> checkpoint_tensors(AdamW& optimizer,
                                                        std::span<const KeptNumbers> kept = {}) {
  std::vector<CheckpointTensor> all;
  for (std::size_t i = 0; i < optimizer.parameters().size(); ++i) {
    const Parameter<float>& parameter = optimizer.parameters()[i];
    const Moments moments = optimizer.moments(i);
    all.push_back({"value/" + parameter.name, parameter.value, false});
    all.push_back({"first_moment/" + parameter.name, moments.first, false});
    all.push_back({"second_moment/" + parameter.name, moments.second, true});
  }
  for (const KeptNumbers& each : kept) all.push_back({"kept/" + each.name, each.numbers, false});
  return all;
}

/// The first number that no run can have, or numbers.size().
inline std::size_t first_impossible(std::span<const float> numbers, bool is_square) {
  std::size_t i = 0;
  while (i < numbers.size() && std::isfinite(numbers[i]) && !(is_square && numbers[i] < 0)) ++i;
  return i;
}

constexpr const char* checkpoint_format = "lrqat.checkpoint.1";

/// More steps than a double can tell apart: AdamW's bias correction would lose count.
constexpr std::uint64_t most_steps = std::uint64_t{1} << 53;

/// Of a fingerprint in an error message; the lab's have up to 300 characters.
constexpr std::size_t shown_of_fingerprint = 400;

/// The number under `key`; the whole text must be one.
template <class Number>
Number number_in(const std::map<std::string, std::string>& metadata, const std::string& key,
                 const std::string& file) {
  const auto found = metadata.find(key);
  expects(found != metadata.end(), file, ": the checkpoint has no '", key, "'");
  const std::string& text = found->second;
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  expects(error == std::errc() && end == text.data() + text.size(), file, ": '", key, "' is '",
          printable(text), "', not a number");
  return number;
}

}  // namespace detail

/// Writes the parameters, the moments, `kept` and `progress` in one safetensors file that replaces
/// `path` only when it is complete. A number that is not finite is an error, and `path` stays as it
/// was.
///
/// @param fingerprint  everything the run's bits depend on: model, scheme, data, settings
inline void save_checkpoint(const std::filesystem::path& path, const std::string& fingerprint,
                            const Progress& progress, AdamW& optimizer,
                            std::span<const KeptNumbers> kept = {}) {
  std::vector<TensorToWrite> tensors;
  for (const detail::CheckpointTensor& tensor : detail::checkpoint_tensors(optimizer, kept)) {
    const std::size_t bad = detail::first_impossible(tensor.numbers, tensor.is_square);
    expects(bad == tensor.numbers.size(), "no checkpoint is written at step ", progress.step, ": ",
            tensor.name, "[", bad, "] is ",
            bad == tensor.numbers.size() ? 0.0f : tensor.numbers[bad]);
    tensors.push_back({tensor.name, "F32", {tensor.numbers.size()}, std::as_bytes(tensor.numbers)});
  }
  char seconds[32];
  const auto written = std::to_chars(seconds, seconds + sizeof seconds, progress.seconds);
  write_safetensors(path, tensors,
                    {{"format", detail::checkpoint_format},
                     {"fingerprint", fingerprint},
                     {"step", std::to_string(progress.step)},
                     {"updates", std::to_string(optimizer.steps())},
                     {"seconds", std::string(seconds, written.ptr)}});
}

/// Reads a checkpoint back into the parameters and moments of `optimizer` and `kept`. All is
/// checked before the first number is changed: the fingerprint, the set of names, every length, and
/// that the numbers are possible ones. Whatever differs is an error that names both sides.
inline Progress restore_checkpoint(const std::filesystem::path& path,
                                   const std::string& fingerprint, AdamW& optimizer,
                                   std::span<const KeptNumbers> kept = {}) {
  const SafetensorsFile file(path);
  const std::string where = path.string();
  const auto& metadata = file.metadata();
  const auto text = [&](const char* key) {
    const auto found = metadata.find(key);
    return found == metadata.end() ? std::string("(none)") : found->second;
  };
  expects(text("format") == detail::checkpoint_format, where, ": not a checkpoint: its format is '",
          detail::printable(text("format")), "', expected '", detail::checkpoint_format, "'");
  expects(text("fingerprint") == fingerprint, where, ": the checkpoint is of another run: it is '",
          detail::printable(text("fingerprint"), detail::shown_of_fingerprint), "', this run is '",
          fingerprint, "'");
  const Progress progress{detail::number_in<std::uint64_t>(metadata, "step", where),
                          detail::number_in<double>(metadata, "seconds", where)};
  const auto updates = detail::number_in<std::uint64_t>(metadata, "updates", where);
  expects(std::isfinite(progress.seconds) && progress.seconds >= 0, where, ": 'seconds' is ",
          progress.seconds);
  expects(progress.step <= detail::most_steps && updates <= detail::most_steps, where, ": 'step' ",
          progress.step, " or 'updates' ", updates, " is beyond 2^53");

  const std::vector<detail::CheckpointTensor> tensors = detail::checkpoint_tensors(optimizer, kept);
  std::map<std::string, std::size_t> expected;
  for (const detail::CheckpointTensor& tensor : tensors) expected[tensor.name] = 0;
  for (const auto& name : file.names()) {
    const auto found = expected.find(std::string(name));
    expects(found != expected.end(), where, ": the checkpoint has the tensor '",
            detail::printable(name), "', which this model does not have");
    found->second = 1;
  }
  for (const auto& [name, present] : expected)
    expects(present == 1, where, ": the checkpoint lacks the tensor '", name, "'");

  std::vector<AlignedVector<float>> numbers;
  for (const detail::CheckpointTensor& tensor : tensors) {
    const AlignedVector<float>& read =
        numbers.emplace_back(file.floats(tensor.name, {tensor.numbers.size()}));
    const std::size_t bad = detail::first_impossible(read, tensor.is_square);
    expects(bad == read.size(), where, ": ", tensor.name, "[", bad, "] is ",
            bad == read.size() ? 0.0f : read[bad]);
  }
  for (std::size_t i = 0; i < tensors.size(); ++i)
    std::copy(numbers[i].begin(), numbers[i].end(), tensors[i].numbers.begin());
  optimizer.set_steps(updates);
  return progress;
}

}  // namespace lrqat

#endif  // LRQAT_TRAIN_CHECKPOINT_HPP
