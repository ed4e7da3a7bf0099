#include "entrain/comm/launch.h"

#include <CLI/CLI.hpp>

#include "entrain/core/errors.h"
#include "entrain/verb.h"

namespace entrain {

void add_launch(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand(
      "launch", "Start N processes here: launch -n N -- train CONFIG.toml ...");
  auto options = std::make_shared<LaunchOptions>();
  verb->add_option("-n", options->processes, "Processes to start")->required();
  verb->add_option("command", options->arguments,
                   "What each process runs, behind --: a verb and its arguments, or the path of a "
                   "program of your own")
      ->required();
  verb->callback([&line, options] {
    const std::string first = options->arguments.front();
    const bool own_program = first.find('/') != std::string::npos;  // no verb has one
    options->program = own_program ? first : line.program;
    if (own_program) options->arguments.erase(options->arguments.begin());
    line.exit_code = launch(*options);
  });
}

}  // namespace entrain
