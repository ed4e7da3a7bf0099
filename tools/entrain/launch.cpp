#include "entrain/comm/launch.h"

#include <CLI/CLI.hpp>

#include <optional>
#include <sstream>

#include "entrain/comm/address.h"
#include "entrain/comm/guard.h"
#include "entrain/core/errors.h"
#include "entrain/verb.h"

namespace entrain {
namespace {

struct LaunchArguments {
  LaunchOptions options;
  std::optional<int> processes;
  std::string hosts, ssh, interface;
  std::vector<std::string> variables;
  bool bare = false;
};

std::vector<std::string> words_in(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

// NAME=VALUE, or NAME for the value that it has here.
void add_variable(LaunchOptions& options, const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string name = text.substr(0, equals);
  const char* const here = std::getenv(name.c_str());
  if (name.empty() || (equals == text.npos && !here)) {
    throw UsageError(
        fmt::format("launch --env {}: must be NAME=VALUE, or a variable that is set", text));
  }
  options.variables[name] = equals == text.npos ? here : text.substr(equals + 1);
}

void launch_verb(CommandLine& line, const LaunchArguments& arguments) {
  LaunchOptions options = arguments.options;
  const std::string first = options.arguments.front();
  const bool own_program = first.find('/') != std::string::npos;  // no verb has one
  options.program = own_program ? first : line.program;
  if (own_program) options.arguments.erase(options.arguments.begin());
  options.guard = line.program;
  options.prefixed = !arguments.bare;
  if (!arguments.processes && arguments.hosts.empty()) {
    throw UsageError("launch: -n is required, the number of processes, or --hosts FILE");
  }
  options.processes = arguments.processes.value_or(0);
  if (!arguments.hosts.empty()) options.hosts = read_hosts(arguments.hosts);
  if (!words_in(arguments.ssh).empty()) options.ssh = words_in(arguments.ssh);
  for (const std::string& variable : arguments.variables) add_variable(options, variable);
  if (!arguments.interface.empty()) options.variables[kInterfaceVariable] = arguments.interface;
  line.exit_code = launch(options);
}

}  // namespace

void add_launch(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand(
      "launch", "Start N processes, here or on other hosts: launch -n N -- train CONFIG.toml ...");
  auto arguments = std::make_shared<LaunchArguments>();
  LaunchOptions& options = arguments->options;
  CLI::Option* hosts =
      verb->add_option("--hosts", arguments->hosts,
                       "A file of hosts to start them on: lines of `host` or `host slots=2`");
  verb->add_option("-n", arguments->processes,
                   "Processes to start; else one for each slot of the hosts");
  verb->add_option("--ssh", arguments->ssh,
                   "What reaches a host, called as COMMAND HOST 'SHELL COMMAND', in place of ssh")
      ->needs(hosts);
  verb->add_option("--address", options.address,
                   "The first host's address for the others; else its name in the file")
      ->needs(hosts);
  verb->add_option("--port", options.port, "Where they meet; else any free port")
      ->check(CLI::Range(0, 65535));
  verb->add_option(
      "--interface", arguments->interface,
      "The network interface of each rank, by name or address: comm.interface of `train`");
  verb->add_option("--env", arguments->variables,
                   "A variable for all: NAME=VALUE, or NAME as it is here")
      ->allow_extra_args(false);
  verb->add_flag("--no-prefix", arguments->bare, "Do not put the rank in front of lines of output");
  verb->add_option("command", options.arguments,
                   "What each process runs, behind --: a verb and its arguments, or the path of a "
                   "program of your own")
      ->required();
  verb->callback([&line, arguments] { launch_verb(line, *arguments); });
}

void add_guard(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand(
      "guard", "Run one rank for `launch --hosts`, and end it with the connection");
  verb->group("");  // not for people
  verb->callback([&line] { line.exit_code = guard(); });
}

}  // namespace entrain
