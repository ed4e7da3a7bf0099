#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace entrain {

/// One evaluation of a run: a line of metrics.jsonl.
struct EvaluationPoint {
  std::int64_t step = 0;
  double seconds = 0;  ///< On the simulated network's clock where the run has one.
  std::map<std::string, double> figures = {};

  /// Not a number where it has no such metric.
  double value(const std::string& metric) const;
};

/// What a study knows of one run.
struct RunFigures {
  bool diverged = false;                    ///< Its loss was no longer finite; the rest is empty.
  std::map<std::string, double> last = {};  ///< Of summary.json; "rounds_everyone" inside of one.
  std::vector<EvaluationPoint> evaluations = {};
  std::string revision = {};  ///< The commit that ran it.

  /// The last value of a metric: of the summary, else of the last evaluation; not a number where
  /// neither has it.
  double value(const std::string& metric) const;
};

/// The runs of each variant, seed by seed.
using Results = std::map<std::string, std::vector<RunFigures>>;

/// The names of all metrics of a run.
std::vector<std::string> metrics_of(const RunFigures& run);

/// Reads a run's folder; none if the run in it did not come to its end: it was interrupted or
/// killed, or its files are damaged.
std::optional<RunFigures> read_run(const std::filesystem::path& folder);

/// Marks the folder as that of a run that diverged, for read_run.
void mark_diverged(const std::filesystem::path& folder, const std::string& message);

}  // namespace entrain
