// SPDX-License-Identifier: MIT
// examples/lab/schemes_command.cpp: lrqat-lab schemes.
#include "commands.hpp"
#include "known_schemes.hpp"
#include "scheme_names.hpp"

#include <lrqat/io/json_line.hpp>  // JsonObject

#include <iomanip>
#include <iostream>
#include <memory>

namespace lrqat::lab {

void add_schemes_command(CLI::App& program, Exit&) {
  CLI::App* const command = program.add_subcommand(
      "schemes", "How quantization schemes are named, and which papers they come from");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print one JSON object: name -> meaning");
  command->footer("Example:\n  lrqat-lab schemes\n");
  command->callback([=] {
    if (*json) {
      JsonObject object = JsonObject::object();
      for (const KnownScheme& known : known_schemes)
        object[std::string(known.name)] = std::string(known.meaning);
      std::cout << object.dump() << '\n';
      return;
    }
    std::cout << scheme_grammar << "\nSome of them:\n\n";
    for (const KnownScheme& known : known_schemes)
      std::cout << "  " << std::left << std::setw(20) << known.name << known.meaning << '\n';
  });
}

}  // namespace lrqat::lab
