#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "entrain/core/environment.h"
#include "entrain/core/files.h"
#include "entrain/study/functions.h"
#include "entrain/study/study_report.h"
#include "entrain/verb.h"

namespace entrain {
namespace {

struct StudyArguments {
  std::string file;
  StudyOptions options;
};

// A claims.json of some variants could pass for that of all.
void write_files(const Study& study, const StudyResult& result, const StudyOptions& options) {
  if (!options.only.empty()) return;
  write_whole(options.out / "results.json", results_json(study, result));
  write_whole(options.out / "claims.json", claims_json(study, result));
}

void print_study(const Study& study, const StudyResult& result, const StudyOptions& options) {
  fmt::print("{}\n\n{}\nmean +- half the 95 % interval over {} seeds\n\n{}", study.title,
             print_results(study, result), study.seeds, print_findings(result));
  fmt::print("{}\n", options.only.empty() ? (options.out / "claims.json").string()
                                          : "with --only no claims.json is written");
}

void run_study_file(CommandLine& line, StudyArguments arguments) {
  const Study study = read_study(arguments.file);
  StudyOptions& options = arguments.options;
  if (options.out.empty()) options.out = std::filesystem::path("runs") / ("study-" + study.name);
  StudyResult result;
  try {
    result = run_study(study, options, environment());
  } catch (const Interrupted&) {
    throw Interrupted(fmt::format(
        "interrupted; what is done is kept, and this goes on from there: entrain study {} --out {}",
        arguments.file, options.out.string()));
  }
  write_files(study, result, options);
  fmt::print(stderr, "{}", note_on_revisions(result));
  if (line.json) {
    fmt::print("{}", claims_json(study, result));
  } else {
    print_study(study, result, options);
  }
  if (!result.as_expected()) line.exit_code = static_cast<int>(Failure::failed);
}

}  // namespace

void add_study(CommandLine& line) {
  CLI::App* verb = line.app.add_subcommand(
      "study", "Variants x seeds in parallel, and claims about what comes out: study FILE.toml");
  auto arguments = std::make_shared<StudyArguments>();
  verb->add_option("file", arguments->file, "The study file; see docs/studies.md")->required();
  verb->add_option("--out", arguments->options.out,
                   "Its folder, else runs/study-<name>; runs that are there are not run again");
  verb->add_option("--jobs", arguments->options.jobs, "Runs at a time; else as many as cores")
      ->check(CLI::Range(1, 4096));
  verb->add_option("--only", arguments->options.only,
                   "Only the variants that have this in their name");
  verb->add_flag("--json", line.json, "Print claims.json");
  verb->footer("Functions in the expressions of claims:\n" + functions_help());
  verb->callback([&line, arguments] { run_study_file(line, *arguments); });
}

}  // namespace entrain
