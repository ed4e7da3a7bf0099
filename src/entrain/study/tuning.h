#pragma once

#include <map>
#include <string>
#include <vector>

#include "entrain/study/results.h"
#include "entrain/study/study_file.h"

namespace entrain {

/// What a variant's tuning came to.
struct Tuned {
  std::string value;          ///< Of the grid.
  std::vector<double> means;  ///< Of the metric over the tuning seeds, for each value of the grid.
  std::string doubt;  ///< Why it is no optimum, as "lr of 'x' is best at the edge ..."; else empty.
};

using TunedVariants = std::map<std::string, Tuned>;

/// The value of the grid with the smallest mean of the metric's last value, the first one of
/// several. A run that diverged, or whose metric is no number, counts as infinite. A best value at
/// the edge of the grid, or one that an edge is as good as, is in doubt.
///
/// `runs`: those of each value of the grid, on the tuning seeds. REQUIRES: as many as the grid has
/// values, none empty.
Tuned best_of(const Tuning& tuning, const std::string& variant,
              const std::vector<std::vector<RunFigures>>& runs);

}  // namespace entrain
