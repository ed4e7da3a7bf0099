#pragma once

#include <functional>
#include <string>
#include <vector>

#include "entrain/study/expression.h"
#include "entrain/study/interval.h"
#include "entrain/study/results.h"

namespace entrain {

/// How many times an expression read from curves, and how many of them the end of a run cut off.
struct TimesRead {
  int all = 0, cut_off = 0;
};

/// The value of an expression over the runs of the given seeds (indices into each variant's runs).
/// A time that was cut off is at least the last evaluation's, what a diverged run gives is
/// anything, a metric that a run lacks is not a number. `times`, if not null, is added to.
///
/// Throws UsageError where the evaluations of a run are not at the steps that the expression names.
/// REQUIRES: `results` has the variants of the expression, and there is a seed.
Interval evaluate(const Expression& expression, const Results& results,
                  const std::vector<int>& seeds, TimesRead* times = nullptr);

/// A metric that an expression reads of a variant.
struct MetricRead {
  std::string metric, variant;
  bool of_curve = false;  ///< Of the evaluations; else its last value.
};

/// All that a relation reads.
std::vector<MetricRead> reads_of(const Relation& relation);

/// Throws UsageError if no evaluation (and, but for `of_curve`, no summary) of `run` has the
/// metric; it lists what there is. A run that diverged has everything.
void require_metric(const MetricRead& read, const RunFigures& run);

}  // namespace entrain
