#pragma once

#include <array>
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
  std::int64_t round = 0;     ///< How often it was due before.
  double lr = 0;  ///< The inner learning rate of the last due step, or a higher one since.
  /// The loss that came with the round that landed since this was asked before: the mean over the
  /// workers and over the steps of its period. NaN if none landed.
  double loss = std::numeric_limits<double>::quiet_NaN();
  /// What the schedule keeps from one due step to the next; zero at first.
  std::array<double, 4> memory = {};
};

/// When a round is due. Step t counts completed optimizer steps, from 1.
struct Schedule {
  Value text;
  /// The next due step, after last_due, or kNever. Depends on nothing but its argument; asked at
  /// the first step after `start`, and then after each due step.
  std::function<std::int64_t(Progress&)> next;
  std::int64_t start = 0;   ///< The step after which the first period begins.
  bool needs_loss = false;  ///< The loss must travel with the round.
  bool needs_lr = false;    ///< Is asked again when the learning rate rises.
};

/// Due at first, first + h, first + 2h, ...; `first` is h where left out. Throws UsageError if one
/// of them is < 1.
Schedule every(std::int64_t h);
Schedule every(std::int64_t h, std::int64_t first);

/// Due at the steps given. Throws UsageError unless they rise, from 1 on.
Schedule at_steps(const std::vector<std::int64_t>& steps);

/// The due steps d <= s of `inner`. Throws UsageError if s < 0.
Schedule until(std::int64_t s, const Schedule& inner);

/// `inner` with its clock started at s: first due at s + its first period. Throws UsageError if s <
/// 0.
Schedule after(std::int64_t s, const Schedule& inner);

/// The schedules that texts may name.
const std::vector<Choice<Schedule>>& schedule_choices();
Schedule build_schedule(const Value& value, const RunFacts& facts);

/// `x` rounded up or down to a whole number of steps, at least 1. What is nearer to a whole number
/// than 1e-12 of it counts as that number: 27 to the power of 2/3 is 9.
std::int64_t steps_up(double x);
std::int64_t steps_down(double x);

/// A number as a value of a text, for a list of named arguments.
Argument named(std::string name, double value);

}  // namespace entrain
