#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "entrain/core/environment.h"
#include "entrain/report/json.h"
#include "entrain/summary_table.h"
#include "entrain/train/run.h"
#include "entrain/verb.h"

namespace entrain {
namespace {

// The same model, data and number of steps for each method, so that the table shows what the method
// changes; the linear model is the yardstick for how hard the data is. Overlap's learning rate is
// that of the others over its effective step, 0.69. The first setting names the run's folder.
const std::vector<std::vector<std::string>> kRuns = {
    {"name=quickstart-linear", "model.name=softmax", "strategy.preset=local_sgd(8)",
     "train.optimizer=sgd(lr=0.02, momentum=0.9)"},
    {"name=quickstart-synchronous", "strategy.preset=synchronous",
     "train.optimizer=sgd(lr=0.05, momentum=0.9)"},
    {"name=quickstart-local", "strategy.preset=local_sgd(8)",
     "train.optimizer=sgd(lr=0.05, momentum=0.9)"},
    {"name=quickstart-overlap", "strategy.preset=overlap_local_sgd(8)",
     "train.optimizer=sgd(lr=0.0725, momentum=0.9)"},
    {"name=quickstart-gossip", "strategy.preset=gossip_pga(ring, 8)",
     "train.optimizer=sgd(lr=0.05, momentum=0.9)"}};

void quickstart(CommandLine& line) {
  std::vector<Summary> summaries;
  std::filesystem::path folder;
  for (const std::vector<std::string>& choices : kRuns) {
    std::vector<std::string> settings = {"data.name=glyphs",         "workers=4",
                                         "train.epochs=4",           "train.batch=64",
                                         "train.lr_schedule=cosine", "evaluation.every=2ep"};
    settings.insert(settings.end(), choices.begin(), choices.end());
    const RunResult result = run(resolve({}, settings, {}), {});
    summaries.push_back(result.summary);
    folder = result.folder.parent_path();
  }
  if (line.json) {
    std::string list;
    for (const Summary& summary : summaries) list += (list.empty() ? "" : ",\n") + to_json(summary);
    fmt::print("[{}]\n", list);
    return;
  }
  fmt::print(
      "\nGlyphs (drawn here, no download): 10 classes, 10,000 images on 4 workers of this "
      "machine.\n\n{}\n"
      "test accuracy is that of the average of all workers; one seed, so differences below a point "
      "mean little.\n"
      "sent/worker is what each worker would send if it were alone on its host.\n"
      "Every run has its folder in {}/ (summary.json, metrics.jsonl, model.safetensors).\n"
      "Next: ./entrain strategy list, and ./entrain train CONFIG.toml\n",
      print_summaries(summaries), folder.string());
}

}  // namespace

void add_quickstart(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand(
      "quickstart", "Four workers, five runs, one table; offline, within a minute");
  verb->add_flag("--json", line.json, "Print the result as JSON");
  verb->callback([&line] { quickstart(line); });
}

}  // namespace entrain
