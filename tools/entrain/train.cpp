#include "entrain/train/run.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "entrain/config/describe.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"
#include "entrain/report/json.h"
#include "entrain/report/table.h"
#include "entrain/summary_table.h"
#include "entrain/train/dry_run.h"
#include "entrain/verb.h"

namespace entrain {
namespace {

struct TrainArguments {
  std::vector<std::string> words;
  std::string out, interface;
  bool dry_run = false;
};

// The first word without '=' is the configuration; the others are settings.
Resolved resolve_words(const TrainArguments& arguments) {
  std::optional<std::filesystem::path> file;
  const std::vector<std::string>& words = arguments.words;
  std::vector<std::string> overrides = words;
  if (!arguments.interface.empty()) overrides.push_back("comm.interface=" + arguments.interface);
  if (!words.empty() && words.front().find('=') == std::string::npos) {
    file = words.front();
    overrides.erase(overrides.begin());
  }
  return resolve(file, overrides, environment());
}

std::string where_time_went(const Summary& s) {
  const std::string spent =
      fmt::format("computed {} and waited {}, and {} of its messages' time was hidden",
                  print_seconds(s.compute_seconds), print_seconds(s.exposed_communication_seconds),
                  print_seconds(s.hidden_communication_seconds));
  if (s.simulated_seconds) {
    return fmt::format("simulated: {} until the last worker was done; a worker {}",
                       print_seconds(*s.simulated_seconds), spent);
  }
  return fmt::format(
      "a process {}; CPU: {} for computing, {} for launching and landing, {} for "
      "transport",
      spent, print_seconds(s.spent->cpu_compute), print_seconds(s.spent->cpu_launch_and_land),
      print_seconds(s.spent->cpu_transport));
}

void train(CommandLine& line, const TrainArguments& arguments) {
  const Resolved resolved = resolve_words(arguments);
  if (arguments.dry_run) {
    if (line.json) throw UsageError("train: --json and --dry-run do not go together");
    fmt::print("{}", dry_run(resolved));
    return;
  }
  RunOptions options;
  if (!arguments.out.empty()) options.out = arguments.out;
  const RunResult result = run(resolved, options);
  if (result.folder.empty()) return;  // not rank 0
  const Summary& s = result.summary;
  if (line.json) {
    fmt::print("{}", to_json(s));
    return;
  }
  fmt::print("{}", print_summaries({s}));
  if (s.simulated_seconds || s.processes > 1) fmt::print("\n{}\n", where_time_went(s));
  fmt::print("\nparameters_hash {}\n{}\n", *s.parameters_hash, result.folder.string());
}

}  // namespace

void add_train(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand("train", "One run: train CONFIG.toml [key=value ...]");
  auto arguments = std::make_shared<TrainArguments>();
  verb->add_option("words", arguments->words, "A configuration file, then settings as key=value");
  verb->add_option("--out", arguments->out, "The run folder; else runs/<date>-<name>-<id>");
  verb->add_option("--interface", arguments->interface,
                   "The network interface, by name or address: the setting comm.interface");
  verb->add_flag("--dry-run", arguments->dry_run,
                 "Print settings, memory, bytes and rounds, and stop");
  verb->footer("Settings:\n" + settings_help());
  verb->add_flag("--json", line.json, "Print the result as JSON");
  verb->callback([&line, arguments] { train(line, *arguments); });
}

}  // namespace entrain
