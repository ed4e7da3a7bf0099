#include "entrain/train/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

LrSchedule step_schedule(const Arguments& a) {
  const double gamma = a.real("gamma");
  if (gamma < 0) throw UsageError(fmt::format("step({}): gamma must be >= 0", print_number(gamma)));
  return {"", [gamma, at = a.steps_list("at")](std::int64_t completed) {
            const auto reached = std::count_if(at.begin(), at.end(), [&](std::int64_t milestone) {
              return completed >= milestone;
            });
            return std::pow(gamma, static_cast<double>(reached));
          }};
}

LrSchedule cosine_schedule(const Arguments& a) {
  const auto total = static_cast<double>(a.facts().steps);
  if (total < 1) throw UsageError("cosine: the number of steps is not known here");
  return {"", [total, to = a.real("to")](std::int64_t completed) {
            const double done = std::min(1.0, static_cast<double>(completed) / total);
            return to + (1 - to) * 0.5 * (1 + std::cos(std::numbers::pi * done));
          }};
}

LrSchedule warmup_schedule(const Arguments& a) {
  const std::int64_t steps = a.steps("steps");
  if (steps < 1) throw UsageError(fmt::format("warmup({}): steps must be >= 1", steps));
  return {"", [steps, from = a.real("from")](std::int64_t completed) {
            if (completed >= steps) return 1.0;
            return from + (1 - from) * static_cast<double>(completed) / static_cast<double>(steps);
          }};
}

LrSchedule inverse_schedule(const Arguments& a) {
  const double offset = a.real("offset"), power = a.real("power");
  if (!(offset > 0) || !(power >= 0)) {
    throw UsageError(fmt::format("inverse({}, {}): offset must be > 0, power >= 0",
                                 print_number(offset), print_number(power)));
  }
  return {"", [offset, power](std::int64_t completed) {
            return std::pow(offset / (offset + static_cast<double>(completed)), power);
          }};
}

}  // namespace

const std::vector<Choice<LrSchedule>>& lr_schedule_choices() {
  static const std::vector<Choice<LrSchedule>> choices = {
      {"constant", {}, "1", [](const Arguments&) { return LrSchedule{}; }},
      {"step", {{"gamma"}, {"at"}}, "times gamma at each of a list of steps", step_schedule},
      {"cosine", {{"to", "0"}}, "half a cosine from 1 to `to` over the run", cosine_schedule},
      {"inverse",
       {{"offset"}, {"power", "1"}},
       "(offset / (offset + t))^power, after t steps",
       inverse_schedule},
      {"warmup",
       {{"steps"}, {"from", "0"}},
       "from `from` to 1 in a straight line",
       warmup_schedule},
  };
  return choices;
}

LrSchedule parse_lr_schedule(const std::string& text, const RunFacts& facts) {
  std::vector<LrSchedule> parts;
  for (const Value& value : parse_values(text, '*')) {
    parts.push_back(build(lr_schedule_choices(), value, "learning-rate schedule", facts));
  }
  return {text, [parts](std::int64_t completed) {
            double factor = 1;
            for (const LrSchedule& part : parts) factor *= part.factor(completed);
            return factor;
          }};
}

std::int64_t first_decay(const LrSchedule& schedule, std::int64_t steps) {
  double before = schedule.factor(0);
  for (std::int64_t completed = 1; completed < steps; ++completed) {
    const double now = schedule.factor(completed);
    if (now < before) return completed;
    before = now;
  }
  return 0;
}

}  // namespace entrain
