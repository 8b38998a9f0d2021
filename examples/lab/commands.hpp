// SPDX-License-Identifier: MIT
// examples/lab/commands.hpp: what lrqat-lab can do. Each function adds one command.
#ifndef LRQAT_LAB_COMMANDS_HPP
#define LRQAT_LAB_COMMANDS_HPP

#include <CLI/CLI.hpp>

namespace lrqat::lab {

/// The program's exit codes besides those of signals.
enum class Exit : int { good = 0, bad_input = 2, interrupted = 130 };

/// What happens without a command.
void add_demo(CLI::App& program, Exit& exit);

void add_schemes_command(CLI::App& program, Exit& exit);
void add_eval_command(CLI::App& program, Exit& exit);
void add_train_command(CLI::App& program, Exit& exit);
void add_table_command(CLI::App& program, Exit& exit);
void add_sweep_command(CLI::App& program, Exit& exit);
void add_generate_command(CLI::App& program, Exit& exit);
void add_export_command(CLI::App& program, Exit& exit);

}  // namespace lrqat::lab

#endif  // LRQAT_LAB_COMMANDS_HPP
