#pragma once

#include <functional>

#include "entrain/core/text.h"

namespace entrain {

/// How long a worker's step takes on a simulated clock.
struct ComputeTime {
  Value text = call("measured");
  bool measured = true;  ///< The step's own time on this machine.
  /// Seconds of step `step` (from 1) of a worker; a pure function of its arguments. Unset if
  /// measured.
  std::function<double(std::uint64_t seed, int worker, std::int64_t step)> seconds = {};
};

/// What befalls a step besides: the factor on its time.
struct Straggler {
  Value text = call("none");
  std::function<double(std::uint64_t seed, int worker, std::int64_t step)> factor =
      [](std::uint64_t, int, std::int64_t) { return 1.0; };
};

/// measured, constant(t), exponential(mean), shifted_exponential(least, mean), pareto(least,
/// shape), trace("file"): as many numbers (seconds) a line as there are workers, a line a step.
const std::vector<Choice<ComputeTime>>& compute_time_choices();
/// none, slow(probability, factor), factors([f0, f1, ...]).
const std::vector<Choice<Straggler>>& straggler_choices();

}  // namespace entrain
