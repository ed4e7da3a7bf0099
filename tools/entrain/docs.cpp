#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "entrain/config/describe.h"
#include "entrain/verb.h"

namespace entrain {

void add_docs(CommandLine& line) {
  CLI::App* docs = line.app.add_subcommand("docs", "Pages that are made from the program itself");
  docs->require_subcommand(1);
  CLI::App* settings = docs->add_subcommand("settings", "docs/settings.md");
  settings->callback([] { fmt::print("{}", settings_markdown()); });
}

}  // namespace entrain
