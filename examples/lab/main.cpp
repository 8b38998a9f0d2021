// SPDX-License-Identifier: MIT
// examples/lab/main.cpp: lrqat-lab, what does a quantization scheme cost and what does it recover?
#include "commands.hpp"
#include "joined.hpp"

#include <lrqat/core/config.hpp>

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <string>

namespace {

using lrqat::lab::Exit;

int complain(const std::string& sentence) {
  std::cout.flush();
  std::cerr << "lrqat-lab: " << sentence << std::endl;
  return static_cast<int>(Exit::bad_input);
}

/// Text that never reached its file (a full disk, a closed pipe) must not look like success.
int finish(Exit exit) {
  std::cout.flush();
  if (!std::cout || std::fflush(stdout) != 0) return complain("standard output cannot be written");
  return static_cast<int>(exit);
}

}  // namespace

int main(int argc, char** argv) try {
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on files is then an error of the write, as a full disk
  Exit exit = Exit::good;
  CLI::App program{
      "lrqat-lab: what does a quantization scheme cost a LLaMA, and what does it recover?",
      "lrqat-lab"};
  program.set_version_flag(
      "--version", lrqat::lab::joined("lrqat ", LRQAT_VERSION_MAJOR, '.', LRQAT_VERSION_MINOR, '.',
                                      LRQAT_VERSION_PATCH));
  program.require_subcommand(0, 1);
  program.footer(
      "Without a command: a demonstration with a model of its own, some minutes long.\n"
      "Each command explains itself: lrqat-lab eval --help\n");
  lrqat::lab::add_demo(program, exit);
  lrqat::lab::add_table_command(program, exit);
  lrqat::lab::add_train_command(program, exit);
  lrqat::lab::add_eval_command(program, exit);
  lrqat::lab::add_sweep_command(program, exit);
  lrqat::lab::add_generate_command(program, exit);
  lrqat::lab::add_export_command(program, exit);
  lrqat::lab::add_schemes_command(program, exit);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& help) {
    program.exit(help);
  } catch (const CLI::ExtrasError& error) {
    const bool is_command = argc > 1 && argv[1][0] != '-' && program.get_subcommands().empty();
    return complain(is_command ? lrqat::lab::joined("there is no command '", argv[1],
                                                    "'; there are table, train, eval, sweep, "
                                                    "generate, export and schemes")
                               : std::string(error.what()));
  } catch (const CLI::ParseError& error) {
    return complain(error.what());
  }
  return finish(exit);
} catch (const std::bad_alloc&) {
  return complain("there is not enough memory for that");
} catch (const std::exception& error) {
  return complain(error.what());
}
