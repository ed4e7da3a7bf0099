#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "entrain/config/resolve.h"
#include "entrain/study/results.h"

namespace entrain {

/// One training run of a study, and where it lies.
struct StudyRun {
  std::string variant;
  Resolved settings;
  std::filesystem::path folder;  ///< <out>/runs/<variant>-<hash of its settings>/seed-<k>
};

/// The run of those settings in the study's folder `out`. Equal settings but for the seed lie in
/// one folder, and other settings in another, so that a changed study never reads what was run
/// before.
StudyRun study_run(const std::filesystem::path& out, const std::string& variant,
                   const Resolved& settings);

/// Runs on `threads` threads what is not there yet, and returns the figures of all, in their order.
/// `done` is called with each one's index as it is there, one at a time. The first failure ends the
/// others when they are done, and is thrown with the variant and seed behind it; Interrupted after
/// Ctrl-C. What is half there is removed and run again.
std::vector<RunFigures> run_all(const std::vector<StudyRun>& runs, int threads, bool progress,
                                const std::string& label,
                                const std::function<void(std::size_t, const RunFigures&)>& done);

}  // namespace entrain
