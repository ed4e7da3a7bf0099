#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "entrain/core/text.h"

namespace entrain {

/// The learning rate over a run, as a factor of the optimizer's own.
struct LrSchedule {
  std::string text = "constant";
  /// The factor for the step that follows `completed` steps. Pure.
  std::function<double(std::int64_t completed)> factor = [](std::int64_t) { return 1.0; };
};

/// The factors that texts may name; a schedule is a product of them, joined by ` * `:
///   constant                        1
///   step(gamma, at=[a, b])          gamma to the power of how many of a, b have been reached
///   cosine(to=0)                    from 1 to `to` along half a cosine over the whole run
///   inverse(offset, power=1)        (offset / (offset + t)) to the power of `power`
///   warmup(steps, from=0)           from `from` to 1 in a straight line, then 1
const std::vector<Choice<LrSchedule>>& lr_schedule_choices();

/// Throws UsageError that quotes the value that is wrong.
LrSchedule parse_lr_schedule(const std::string& text, const RunFacts& facts);

/// How many steps are completed when the factor first falls, in a run of `steps`; 0: never.
std::int64_t first_decay(const LrSchedule& schedule, std::int64_t steps);

}  // namespace entrain
