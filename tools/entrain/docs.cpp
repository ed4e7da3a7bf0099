#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "entrain/config/describe.h"
#include "entrain/config/network_presets.h"
#include "entrain/data/dataset.h"
#include "entrain/data/partition.h"
#include "entrain/strategy/strategy_markdown.h"
#include "entrain/train/prepare.h"
#include "entrain/verb.h"

namespace entrain {
namespace {

// The values that a setting may have, from the table that it is read by.
template <class T>
void print_values(const char* setting, const std::vector<Choice<T>>& choices) {
  fmt::print("\n## Values of `{}`\n\n| value | meaning |\n| --- | --- |\n", setting);
  for (const Choice<T>& choice : choices) {
    fmt::print("| `{}` | {} |\n", signature(choice), choice.meaning);
  }
}

void print_network_presets() {
  fmt::print(
      "\n## Values of `network.preset`\n\n| value | meaning | fills in |\n| --- | --- | --- |\n");
  for (const NetworkPreset& preset : network_presets()) {
    std::string texts;
    for (const auto& [key, text] : preset.settings) {
      texts += fmt::format("{}`{} = {}`", texts.empty() ? "" : ", ", key, text);
    }
    fmt::print("| `{}` | {} | {} |\n", preset.name, preset.meaning, texts);
  }
  fmt::print("\nTheir numbers are ours: plausible, and measured nowhere.\n");
}

void print_settings() {
  fmt::print("{}", settings_markdown());
  print_values("data.partition", partition_choices());
  print_values("model.name", model_choices());
  print_values("problem.name", problem_choices());
  print_values("train.optimizer", optimizer_choices());
  print_values("train.lr_schedule", lr_schedule_choices());
  fmt::print(
      "\nA learning-rate schedule is one of these or a product, as in `warmup(5ep, from=0.1) * "
      "cosine`.\n");
  print_network_presets();
  print_values("network.links", link_choices({}));
  print_values("network.medium", medium_choices());
  print_values("network.loss", loss_choices());
  print_values("network.compute", compute_time_choices());
  print_values("network.straggler", straggler_choices());
  fmt::print(
      "\nThose of `strategy.preset` and of the rounds are in [strategies.md](strategies.md).\n");
}

}  // namespace

void add_docs(CommandLine& line) {
  CLI::App* docs = line.app.add_subcommand("docs", "Pages that are made from the program itself");
  docs->require_subcommand(1);
  CLI::App* settings = docs->add_subcommand("settings", "docs/settings.md");
  settings->callback(print_settings);
  CLI::App* strategies = docs->add_subcommand("strategies", "docs/strategies.md");
  strategies->callback([] { fmt::print("{}", strategy_markdown()); });
}

}  // namespace entrain
