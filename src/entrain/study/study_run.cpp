#include "entrain/study/study_run.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "entrain/config/describe.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"
#include "entrain/report/progress_line.h"
#include "entrain/report/table.h"
#include "entrain/strategy/parameters_hash.h"
#include "entrain/train/run.h"

namespace entrain {
namespace {

constexpr std::size_t longest_slug = 40;

std::string slug(const std::string& name) {
  std::string result;
  for (const char c : name.substr(0, longest_slug)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || (!result.empty() && result.back() != '-')) result += plain ? c : '-';
  }
  while (!result.empty() && result.back() == '-') result.pop_back();
  return result.empty() ? "variant" : result;
}

// Where the data lie does not change what comes out; nor does the seed belong here.
std::string settings_hash(const std::string& variant, const Resolved& settings) {
  Resolved hashed{settings.values, {}};
  hashed.values.seed = 0;
  hashed.values.data.root.clear();
  return text_hash(variant + "\n" + to_toml(hashed));
}

// What a run costs, so far as the settings say it.
double effort_of(const StudyRun& run) {
  const Settings& s = run.settings.values;
  const auto steps = s.train.steps > 0 ? static_cast<double>(s.train.steps) : s.train.epochs;
  return steps * std::max(1, s.workers);
}

/// Runs a list on several threads.
class RunAll {
 public:
  RunAll(const std::vector<StudyRun>& runs, bool progress, const std::string& label,
         const std::function<void(std::size_t, const RunFigures&)>& done)
      : runs_(runs), done_(done), figures_(runs.size()), line_(label, 1, progress) {}

  std::vector<RunFigures> operator()(int threads) {
    read_what_is_there();
    std::vector<std::thread> others;
    const auto useful = std::min<std::size_t>(static_cast<std::size_t>(threads), missing_.size());
    for (std::size_t i = 1; i < useful; ++i) others.emplace_back([this] { work(); });
    work();
    for (std::thread& other : others) other.join();
    if (failure_) std::rethrow_exception(failure_);
    return std::move(figures_);
  }

 private:
  void read_what_is_there() {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (std::optional<RunFigures> found = read_run(runs_[i].folder)) {
        figures_[i] = std::move(*found);
        done_(i, figures_[i]);
      } else {
        missing_.push_back(i);
        effort_ += effort_of(runs_[i]);
      }
    }
  }

  void work() {
    for (std::size_t next; !stopped_ && (next = next_++) < missing_.size();) {
      const std::size_t i = missing_[next];
      try {
        if (interrupted()) throw Interrupted("interrupted");
        RunFigures figures = run_one(runs_[i]);
        finish(i, std::move(figures));
      } catch (...) {
        fail(std::current_exception());
      }
    }
  }

  static RunFigures run_one(const StudyRun& one) {
    std::filesystem::remove_all(one.folder);
    try {
      run(one.settings, {.out = one.folder, .progress = false});
    } catch (const Diverged& error) {
      mark_diverged(one.folder, error.what());
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      throw Error(error.failure(), fmt::format("{} (variant '{}', seed {})", error.what(),
                                               one.variant, one.settings.values.seed));
    }
    std::optional<RunFigures> figures = read_run(one.folder);
    ENTRAIN_CHECK(figures);
    return std::move(*figures);
  }

  void finish(std::size_t i, RunFigures figures) {
    const std::lock_guard lock(lock_);
    figures_[i] = std::move(figures);
    ++finished_;
    finished_effort_ += effort_of(runs_[i]);
    line_.at(finished_effort_ / effort_,
             fmt::format("{} of {}", runs_.size() - missing_.size() + finished_,
                         print_count(static_cast<std::int64_t>(runs_.size()), "run")));
    done_(i, figures_[i]);
  }

  void fail(std::exception_ptr failure) {
    const std::lock_guard lock(lock_);
    if (!failure_) failure_ = std::move(failure);
    stopped_ = true;
  }

  const std::vector<StudyRun>& runs_;
  const std::function<void(std::size_t, const RunFigures&)>& done_;
  std::vector<RunFigures> figures_;
  std::vector<std::size_t> missing_;  // those to run
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> stopped_{false};
  std::mutex lock_;  // of all below
  std::exception_ptr failure_;
  std::size_t finished_ = 0;
  double effort_ = 0, finished_effort_ = 0;
  ProgressLine line_;
};

}  // namespace

StudyRun study_run(const std::filesystem::path& out, const std::string& variant,
                   const Resolved& settings) {
  return {variant, settings,
          out / "runs" / fmt::format("{}-{}", slug(variant), settings_hash(variant, settings)) /
              fmt::format("seed-{}", settings.values.seed)};
}

std::vector<RunFigures> run_all(const std::vector<StudyRun>& runs, int threads, bool progress,
                                const std::string& label,
                                const std::function<void(std::size_t, const RunFigures&)>& done) {
  return RunAll(runs, progress, label, done)(threads);
}

}  // namespace entrain
