#pragma once

#include <string>

namespace CLI {
class App;
}

namespace entrain {

/// What all verbs share: a verb's callback does its work and sets the exit code.
struct CommandLine {
  CLI::App& app;
  std::string program;  ///< The path of this binary.
  bool json = false;
  int exit_code = 0;
};

// One file each; each adds its verb to the command line.
void add_quickstart(CommandLine& line);
void add_train(CommandLine& line);
void add_launch(CommandLine& line);
void add_guard(CommandLine& line);
void add_data(CommandLine& line);
void add_strategy(CommandLine& line);
void add_topology(CommandLine& line);
void add_study(CommandLine& line);
void add_bench(CommandLine& line);
void add_docs(CommandLine& line);

}  // namespace entrain
