#pragma once

#include <cstdint>
#include <functional>
#include <limits>

#include "entrain/core/text.h"

namespace entrain {

/// A step that never comes.
inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

/// What a schedule may read: only numbers on which all workers agree, or they would wait for each
/// other forever.
struct Progress {
  std::int64_t last_due = 0;  ///< The step at which the round was due before; 0 at first.
};

/// When a round is due. Step t counts completed optimizer steps, from 1.
struct Schedule {
  Value text;
  std::function<std::int64_t(const Progress&)> next;  ///< The next due step, or kNever. Pure.
  std::int64_t start = 0;  ///< The step after which the first period begins.
};

/// Due at h, 2h, ... Throws UsageError if h < 1.
Schedule every(std::int64_t h);

/// The due steps d <= s of `inner`. Throws UsageError if s < 0.
Schedule until(std::int64_t s, const Schedule& inner);

/// `inner` with its clock started at s: first due at s + its first period. Throws UsageError if s <
/// 0.
Schedule after(std::int64_t s, const Schedule& inner);

/// The schedules that texts may name.
const std::vector<Choice<Schedule>>& schedule_choices();
Schedule build_schedule(const Value& value, const RunFacts& facts);

}  // namespace entrain
