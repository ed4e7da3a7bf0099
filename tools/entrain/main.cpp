#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>

#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"
#include "entrain/core/text.h"
#include "entrain/core/version.h"
#include "entrain/verb.h"

namespace entrain {
namespace {

// The verb that was given, down to the last one, as in `data prepare`.
const CLI::App& deepest(const CLI::App& app) {
  const auto given = app.get_subcommands();
  return given.empty() ? app : deepest(*given.front());
}

// " strategy show" for the verb of that name.
std::string path_of(const CLI::App& verb) {
  return verb.get_parent() ? path_of(*verb.get_parent()) + " " + verb.get_name() : "";
}

std::vector<std::string> words_of(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    words.push_back(verb->get_name());
  }
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

int complain(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& verb = deepest(app);
  std::string message = error.what();
  const std::vector<std::string> extras =
      verb.remaining().empty() ? app.remaining(true) : verb.remaining();
  const auto extra = std::find_if(extras.begin(), extras.end(),
                                  [](const std::string& word) { return word != "--"; });
  if (extra != extras.end()) {
    message = fmt::format("'{}' is not known here{}", *extra, suggestion(*extra, words_of(verb)));
  }
  const std::string name = path_of(verb);
  fmt::print(stderr, "entrain{}: {}\nsee: entrain{} --help\n", name, message, name);
  return static_cast<int>(Failure::usage);
}

int run_command_line(int argc, char** argv) {
  CLI::App app("entrain trains one model on many workers that talk as little as possible.",
               "entrain");
  app.require_subcommand(1);
  app.set_version_flag("--version", fmt::format("entrain {} ({})", kVersion, kRevision));
  CommandLine line{app, std::filesystem::read_symlink("/proc/self/exe").string()};
  add_quickstart(line);
  add_train(line);
  add_launch(line);
  add_guard(line);
  add_data(line);
  add_strategy(line);
  add_topology(line);
  add_study(line);
  add_bench(line);
  add_docs(line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked) {
    return app.exit(asked);
  } catch (const CLI::ParseError& error) {
    return complain(app, error);
  }
  return line.exit_code;
}

}  // namespace
}  // namespace entrain

int main(int argc, char** argv) {
  using entrain::Failure;
  entrain::watch_interrupts();
  try {
    return entrain::run_command_line(argc, argv);
  } catch (const entrain::Error& error) {
    fmt::print(stderr, "entrain: {}\n", error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    const std::string_view what = error.what();  // libtorch's goes on with a backtrace
    fmt::print(stderr, "entrain: {}\n", what.substr(0, what.find("\nException raised from")));
    return static_cast<int>(Failure::failed);
  }
}
