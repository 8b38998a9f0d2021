// SPDX-License-Identifier: MIT
// examples/lab/train_shape.hpp: lrqat-lab train --shape.
#ifndef LRQAT_LAB_TRAIN_SHAPE_HPP
#define LRQAT_LAB_TRAIN_SHAPE_HPP

#include "options.hpp"

#include <CLI/CLI.hpp>

#include <string>

namespace lrqat::lab {

/// --shape NAME
void add_shape(CLI::App& command, std::string& shape);

/// What --shape means for options that were not given: rank 32, one step of one window of up to
/// 1024 tokens, w4-pc-q4.4-minmax. @throws Error for an option that makes no sense beside it
void apply_shape_defaults(const CLI::App& command, const std::string& shape, Options& options);

/// Trains a model of that shape for some steps and tells its time and memory.
/// @pre options.adaptation.scheme is set
void train_shape(const std::string& shape, const Options& options);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_TRAIN_SHAPE_HPP
