#include "entrain/strategy/schedule.h"

#include <algorithm>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

void require_switch(const char* name, std::int64_t s, const Schedule& inner) {
  if (s < 0) {
    throw UsageError(fmt::format("{}({}, {}): the step must be >= 0", name, s, print(inner.text)));
  }
}

Value switch_text(const char* name, std::int64_t s, const Schedule& inner) {
  return call(name, {{"step", number(static_cast<double>(s))}, {"schedule", inner.text}});
}

Schedule inner_schedule(const Arguments& arguments) {
  return build_schedule(arguments.value("schedule"), arguments.facts());
}

}  // namespace

Schedule every(std::int64_t h) {
  if (h < 1) throw UsageError(fmt::format("every({}): steps must be >= 1", h));
  return {call("every", {{"", number(static_cast<double>(h))}}),
          [h](const Progress& progress) { return progress.last_due + h; }};
}

Schedule until(std::int64_t s, const Schedule& inner) {
  require_switch("until", s, inner);
  return {switch_text("until", s, inner),
          [s, next = inner.next](const Progress& progress) {
            const std::int64_t due = next(progress);
            return due <= s ? due : kNever;
          },
          inner.start};
}

Schedule after(std::int64_t s, const Schedule& inner) {
  require_switch("after", s, inner);
  return {switch_text("after", s, inner),
          [s, next = inner.next](Progress progress) {
            progress.last_due = std::max<std::int64_t>(0, progress.last_due - s);
            const std::int64_t due = next(progress);
            return due == kNever ? kNever : s + due;
          },
          s + inner.start};
}

const std::vector<Choice<Schedule>>& schedule_choices() {
  static const std::vector<Choice<Schedule>> choices = {
      {"every",
       {{"h"}},
       "due at steps h, 2h, ...",
       [](const Arguments& a) { return every(a.steps("h")); }},
      {"until",
       {{"step"}, {"schedule"}},
       "the due steps of a schedule up to a step",
       [](const Arguments& a) { return until(a.steps("step"), inner_schedule(a)); }},
      {"after",
       {{"step"}, {"schedule"}},
       "a schedule with its clock started at a step",
       [](const Arguments& a) { return after(a.steps("step"), inner_schedule(a)); }},
  };
  return choices;
}

Schedule build_schedule(const Value& value, const RunFacts& facts) {
  return build(schedule_choices(), value, "schedule", facts);
}

}  // namespace entrain
