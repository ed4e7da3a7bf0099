#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "entrain/config/resolve.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"
#include "entrain/data/dataset.h"
#include "entrain/data/libsvm_sets.h"
#include "entrain/data/prepare.h"
#include "entrain/data/reader.h"
#include "entrain/verb.h"

namespace entrain {
namespace {

struct DataArguments {
  std::string name, from, root;
  bool download = false;
};

std::string root_of(const DataArguments& arguments) {
  return arguments.root.empty() ? resolve({}, {}, environment()).values.data.root : arguments.root;
}

std::string state(bool there, const std::filesystem::path& folder) {
  return (there ? "in " : "not in ") + folder.string();
}

std::string state_of(const DatasetEntry& entry, const std::filesystem::path& root) {
  if (!entry.needs_files()) return "always there";
  return state(std::filesystem::is_directory(root / entry.name), root / entry.name);
}

struct Row {
  std::string name, summary, state;
};

std::vector<Row> rows(const std::filesystem::path& root) {
  std::vector<Row> all;
  for (const DatasetEntry& entry : dataset_table())
    all.push_back({entry.name, entry.summary, state_of(entry, root)});
  for (const LibsvmSet& set : libsvm_table())
    all.push_back(
        {set.name,
         fmt::format("LIBSVM: {}; {} samples, {} features", set.summary, set.samples, set.features),
         state(plain_or_gz(root / "libsvm", set.name).has_value(), root / "libsvm")});
  return all;
}

void list(CommandLine& line, const DataArguments& arguments) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const auto& [name, summary, state] : rows(root_of(arguments))) {
    if (line.json) {
      all.push_back({{"name", name}, {"summary", summary}, {"state", state}});
    } else {
      fmt::print("{:<20}{}; {}\n", name, summary, state);
    }
  }
  if (line.json) fmt::print("{}\n", all.dump(2));
}

void prepare_data(const DataArguments& arguments) {
  require_preparable(arguments.name);  // an unknown name is the first thing to say
  if (arguments.download == !arguments.from.empty()) {
    throw UsageError(
        "data prepare: give --from PATH (files that you have) or --download (from the official "
        "place)");
  }
  const PrepareReport report =
      arguments.download ? download_dataset(arguments.name, root_of(arguments))
                         : prepare_dataset(arguments.name, root_of(arguments), arguments.from);
  for (const std::string& warning : report.warnings) fmt::print(stderr, "warning: {}\n", warning);
  fmt::print("{}\n", report.message);
}

}  // namespace

void add_data(CommandLine& line) {
  CLI::App* data = line.app.add_subcommand("data", "What data there is, and where");
  data->require_subcommand(1);
  auto arguments = std::make_shared<DataArguments>();
  CLI::App* all = data->add_subcommand("list", "Every data set that a configuration can name");
  all->add_option("--root", arguments->root, "The data folder; else data.root");
  all->add_flag("--json", line.json, "Print as JSON");
  all->callback([&line, arguments] { list(line, *arguments); });
  CLI::App* one = data->add_subcommand("prepare", "Check a data set's files and lay them out");
  one->add_option("name", arguments->name, "As in data list")->required();
  one->add_option("--from", arguments->from,
                  "The folder of the original files, packed or not, or the file itself");
  one->add_flag("--download", arguments->download,
                "Fetch from the official place; the only call that touches the network");
  one->add_option("--root", arguments->root, "The data folder; else data.root");
  one->callback([arguments] { prepare_data(*arguments); });
}

}  // namespace entrain
