#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "entrain/study/claims.h"
#include "entrain/study/results.h"
#include "entrain/study/study_file.h"
#include "entrain/study/tuning.h"

namespace entrain {

/// How a study is run.
struct StudyOptions {
  std::filesystem::path out;  ///< Its folder; runs that are there already are not run again.
  int jobs = 0;               ///< Runs at a time; 0: the cores.
  std::string only = {};      ///< Only variants with this in their name; empty: all.
  bool progress = true;       ///< A line on stderr.
};

/// What came out of a study.
struct StudyResult {
  Results results;
  TunedVariants tuned;
  std::vector<Finding> findings;              ///< Of the claims whose variants are all there.
  std::vector<const Claim*> not_judged = {};  ///< Of the others: `only` left their variants out.

  /// Whether every claim came out as it is declared to.
  bool as_expected() const;
};

/// Tunes, runs and judges. The findings point into `study`, which must outlive them. Throws
/// UsageError before anything is run if another process works in the folder or a launcher started
/// this one; what run() throws; Interrupted after Ctrl-C, and the next call goes on from there.
StudyResult run_study(const Study& study, const StudyOptions& options,
                      const std::map<std::string, std::string>& environment);

}  // namespace entrain
