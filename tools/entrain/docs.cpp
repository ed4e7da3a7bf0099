#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "entrain/config/describe.h"
#include "entrain/strategy/strategy_markdown.h"
#include "entrain/verb.h"

namespace entrain {

void add_docs(CommandLine& line) {
  CLI::App* docs = line.app.add_subcommand("docs", "Pages that are made from the program itself");
  docs->require_subcommand(1);
  CLI::App* settings = docs->add_subcommand("settings", "docs/settings.md");
  settings->callback([] { fmt::print("{}", settings_markdown()); });
  CLI::App* strategies = docs->add_subcommand("strategies", "docs/strategies.md");
  strategies->callback([] { fmt::print("{}", strategy_markdown()); });
}

}  // namespace entrain
