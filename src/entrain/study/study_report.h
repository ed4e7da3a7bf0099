#pragma once

#include <string>

#include "entrain/study/run_study.h"

namespace entrain {

/// A row for each variant: its tuned value, and mean +- spread of the metrics that the study shows.
std::string print_results(const Study& study, const StudyResult& result);

/// Each claim with its result, both sides, the difference with its 95 % interval, and why.
std::string print_findings(const StudyResult& result);

/// claims.json: a list of {study, claim, result, expected, value, spread, seeds, reason, ...}. What
/// is unbounded or no number is null.
std::string claims_json(const Study& study, const StudyResult& result);

/// results.json: of each variant the tuning, and every metric's value for each seed.
std::string results_json(const Study& study, const StudyResult& result);

/// A sentence if the runs are of several commits, as after a resumed study; else empty.
std::string note_on_revisions(const StudyResult& result);

}  // namespace entrain
