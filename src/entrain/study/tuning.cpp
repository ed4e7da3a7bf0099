#include "entrain/study/tuning.h"

#include <algorithm>
#include <cmath>

namespace entrain {
namespace {

double mean_last(const std::vector<RunFigures>& runs, const std::string& metric) {
  double sum = 0;
  for (const RunFigures& run : runs) {
    const double value = run.diverged ? unbounded : run.value(metric);
    sum += std::isnan(value) ? unbounded : value;
  }
  return sum / static_cast<double>(runs.size());
}

}  // namespace

Tuned best_of(const Tuning& tuning, const std::string& variant,
              const std::vector<std::vector<RunFigures>>& runs) {
  ENTRAIN_CHECK(runs.size() == tuning.grid.size());
  Tuned tuned;
  for (const auto& of_value : runs) tuned.means.push_back(mean_last(of_value, tuning.metric));
  const auto best = std::min_element(tuned.means.begin(), tuned.means.end());
  tuned.value = tuning.grid[static_cast<std::size_t>(best - tuned.means.begin())];
  if (!std::isfinite(*best)) {
    tuned.doubt = fmt::format("{} of '{}': every value of its grid diverged", tuning.name, variant);
  } else if (*best == tuned.means.front() || *best == tuned.means.back()) {
    const std::string& edge =
        *best == tuned.means.front() ? tuning.grid.front() : tuning.grid.back();
    tuned.doubt =
        fmt::format("{} of '{}' is best at the edge of its grid: {}", tuning.name, variant, edge);
  }
  return tuned;
}

}  // namespace entrain
