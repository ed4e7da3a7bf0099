#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace entrain {

/// What all verbs share: a verb's callback does its work and sets the exit code.
struct CommandLine {
  CLI::App& app;
  std::string program;  ///< The path of this binary.
  bool json = false;
  int exit_code = 0;
};

/// A verb of the command line, with --json.
inline CLI::App* add_verb(CommandLine& line, const std::string& name, const std::string& summary) {
  CLI::App* verb = line.app.add_subcommand(name, summary);
  verb->add_flag("--json", line.json, "Print the result as JSON");
  return verb;
}

// One file each.
void add_quickstart(CommandLine& line);
void add_train(CommandLine& line);
void add_launch(CommandLine& line);
void add_data(CommandLine& line);
void add_strategy(CommandLine& line);
void add_bench(CommandLine& line);
void add_docs(CommandLine& line);

}  // namespace entrain
