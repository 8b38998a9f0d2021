// SPDX-License-Identifier: MIT
// examples/lab/options.hpp: options that several commands share.
#ifndef LRQAT_LAB_OPTIONS_HPP
#define LRQAT_LAB_OPTIONS_HPP

#include "experiment.hpp"
#include "text.hpp"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace lrqat::lab {

/// What the command line says; commands add the groups that they need.
struct Options {
  std::filesystem::path model;
  std::string scheme;
  TextSources text{};
  Measure measure{};  // its context is also that of training
  Adaptation adaptation{};
  Recipe recipe{};
  bool recompute = false;
  int threads = 0;  // 0: as many as the machine has
  bool json = false;
  std::filesystem::path out;

  /// Sets the number of threads, and in the recipe and adaptation what follows from the rest.
  void apply();
};

void add_model(CLI::App& command, Options& options);
void add_scheme(CLI::App& command, Options& options, const std::string& by_default);
void add_text(CLI::App& command, Options& options);        // --tokens --data --tokenizer
void add_splits(CLI::App& command, Options& options);      // --dev --test
void add_measure(CLI::App& command, Options& options);     // --context --windows
void add_adaptation(CLI::App& command, Options& options);  // --rank --alpha --seed
void add_scale_format(CLI::App& command, Options& options);  // --scale-format, fp16 unless given
void add_recipe(CLI::App& command, Options& options);      // --steps --batch ...
void add_machine(CLI::App& command, Options& options);     // --threads --json

/// A finite number above 0; the error says which option wants one.
CLI::Validator positive_number();
/// A finite number from low to high.
CLI::Validator number_between(double low, double high);
/// A whole number from low to high.
CLI::Validator whole_number(std::uint64_t low, std::uint64_t high);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_OPTIONS_HPP
