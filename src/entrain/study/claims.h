#pragma once

#include <string>
#include <vector>

#include "entrain/study/evaluate.h"
#include "entrain/study/statistics.h"
#include "entrain/study/study_file.h"
#include "entrain/study/tuning.h"

namespace entrain {

/// What the results say of a claim.
struct Finding {
  const Claim* claim = nullptr;
  Verdict verdict = Verdict::inconclusive;
  Interval left = {}, right = {};  ///< Both sides over all seeds; of `in` the left one alone.
  TimesRead left_times = {}, right_times = {};
  Estimate difference = {};  ///< left - right over paired seeds; of `in` the left side itself.
  int seeds = 0;
  std::string why = {};  ///< Why it is inconclusive; else empty.

  bool as_expected() const { return verdict == claim->expected; }
};

/// Compares a claim with the results. It holds (fails) where the whole 95 % interval of the
/// difference is on the right (wrong) side, and is inconclusive else. Bounds count for what they
/// are: a time that was cut off decides only where any longer one would decide the same. A claim
/// that reads a diverged run or a variant whose tuning is in doubt is inconclusive.
///
/// Throws UsageError with the claim's origin for what its expression cannot be read from.
Finding judge(const Claim& claim, const Results& results, const TunedVariants& tuned);

/// Throws UsageError with its origin if a claim or the tuning reads a metric of `variant` that this
/// run of it does not have.
void check_metrics(const Study& study, const std::string& variant, const RunFigures& run);

/// Whether the results have every variant that the claim reads.
bool can_judge(const Claim& claim, const Results& results);

}  // namespace entrain
