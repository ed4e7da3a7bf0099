#include "entrain/study/run_study.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "entrain/comm/place.h"
#include "entrain/core/text.h"
#include "entrain/study/study_run.h"
#include "entrain/train/threads.h"

namespace entrain {
namespace {

/// Keeps other processes out of a study's folder for as long as it lives.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    file_ = open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) {
      throw RunError(
          fmt::format("cannot write into the study's folder '{}'; give another with --out DIR",
                      folder.string()));
    }
    if (flock(file_, LOCK_EX | LOCK_NB) == 0) return;
    close(file_);
    throw UsageError(fmt::format(
        "another study is running in '{}'; wait for it, or give another folder with --out DIR",
        folder.string()));
  }
  ~FolderLock() { close(file_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_;
};

class StudyRunner {
 public:
  StudyRunner(const Study& study, const StudyOptions& options,
              const std::map<std::string, std::string>& environment)
      : study_(study), options_(options), environment_(read_study_environment(environment)) {
    for (const Variant& variant : study.variants) {
      if (variant.name.find(options.only) != std::string::npos) chosen_.push_back(&variant);
    }
    if (chosen_.empty()) {
      throw UsageError(fmt::format("--only '{}': no variant has this in its name", options.only));
    }
    // All settings are read before anything is run.
    for (const Variant* variant : chosen_) {
      settings_of(study, *variant, 1, variant->tuned ? study.tuning->grid.front() : "",
                  environment_);
    }
  }

  StudyResult operator()() {
    tune();
    report();
    for (const Claim& claim : study_.claims) {
      if (can_judge(claim, result_.results)) {
        result_.findings.push_back(judge(claim, result_.results, result_.tuned));
      } else {
        result_.not_judged.push_back(&claim);
      }
    }
    return std::move(result_);
  }

 private:
  StudyRun planned(const Variant& variant, std::uint64_t seed, const std::string& value) const {
    return study_run(options_.out, variant.name,
                     settings_of(study_, variant, seed, value, environment_));
  }

  std::vector<RunFigures> run_all_of(const std::vector<StudyRun>& runs, const char* what) {
    const int threads = options_.jobs > 0 ? options_.jobs : usable_cores();
    return run_all(runs, threads, options_.progress, fmt::format("{}, {}", study_.name, what),
                   [&](std::size_t i, const RunFigures& run) { check(runs[i].variant, run); });
  }

  // Of each variant's first run, so that a name that no run has does not come out at the end.
  void check(const std::string& variant, const RunFigures& run) {
    if (run.diverged || !checked_.insert(variant).second) return;
    check_metrics(study_, variant, run);
    const std::vector<std::string> known = metrics_of(run);
    known_.insert(known.begin(), known.end());
    if (checked_.size() == study_.variants.size()) check_shown();
  }

  void check_shown() const {
    for (const std::string& metric : study_.show) {
      if (known_.contains(metric)) continue;
      const std::vector<std::string> all(known_.begin(), known_.end());
      throw UsageError(fmt::format("{}: show: no variant has the metric '{}'{}", study_.show_origin,
                                   metric, suggestion(metric, all)));
    }
  }

  // Variants vary fastest, so that each is soon run once and what is wrong with it comes out.
  void tune() {
    if (!study_.tuning) return;
    const Tuning& tuning = *study_.tuning;
    std::vector<const Variant*> variants;
    std::copy_if(chosen_.begin(), chosen_.end(), std::back_inserter(variants),
                 [](const Variant* variant) { return variant->tuned; });
    std::vector<StudyRun> runs;
    for (int i = 0; i < tuning.seeds; ++i) {
      for (const std::string& value : tuning.grid) {
        for (const Variant* variant : variants) {
          runs.push_back(
              planned(*variant, first_tuning_seed + static_cast<std::uint64_t>(i), value));
        }
      }
    }
    const std::vector<RunFigures> figures = run_all_of(runs, "tuning");
    for (std::size_t v = 0; v < variants.size(); ++v) {
      std::vector<std::vector<RunFigures>> of_values(tuning.grid.size());
      for (std::size_t run = v, k = 0; run < runs.size(); run += variants.size(), ++k) {
        of_values[k % tuning.grid.size()].push_back(figures[run]);
      }
      const std::string& name = variants[v]->name;
      result_.tuned[name] = best_of(tuning, name, of_values);
    }
  }

  void report() {
    std::vector<StudyRun> runs;
    for (int seed = 1; seed <= study_.seeds; ++seed) {
      for (const Variant* variant : chosen_) {
        const auto tuned = result_.tuned.find(variant->name);
        runs.push_back(planned(*variant, static_cast<std::uint64_t>(seed),
                               tuned == result_.tuned.end() ? "" : tuned->second.value));
      }
    }
    std::vector<RunFigures> figures = run_all_of(runs, "runs");
    for (std::size_t i = 0; i < runs.size(); ++i) {
      result_.results[runs[i].variant].push_back(std::move(figures[i]));
    }
    if (options_.only.empty() && !known_.empty()) check_shown();
  }

  const Study& study_;
  const StudyOptions& options_;
  std::vector<Given> environment_;
  std::vector<const Variant*> chosen_;
  std::set<std::string> checked_;  // variants whose metrics were looked at
  std::set<std::string> known_;    // those metrics
  StudyResult result_;
};

}  // namespace

bool StudyResult::as_expected() const {
  return std::all_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.as_expected(); });
}

StudyResult run_study(const Study& study, const StudyOptions& options,
                      const std::map<std::string, std::string>& environment) {
  if (place_from(environment).size > 1) {
    throw UsageError("a study runs in one process, on its threads; start it without a launcher");
  }
  StudyRunner runner(study, options, environment);
  const FolderLock lock(options.out);
  limit_intra_threads(1);
  return runner();
}

}  // namespace entrain
