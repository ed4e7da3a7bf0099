#include "entrain/strategy/schedule.h"

#include <algorithm>
#include <cmath>

#include "entrain/core/errors.h"
#include "entrain/strategy/adaptive_schedules.h"
#include "entrain/strategy/theory_schedules.h"

namespace entrain {
namespace {

void require_switch(const char* name, std::int64_t s, const Schedule& inner) {
  if (s < 0) {
    throw UsageError(fmt::format("{}({}, {}): the step must be >= 0", name, s, print(inner.text)));
  }
}

Value switch_text(const char* name, std::int64_t s, const Schedule& inner) {
  return call(name, {named("step", static_cast<double>(s)), {"schedule", inner.text}});
}

Schedule inner_schedule(const Arguments& arguments) {
  return build_schedule(arguments.value("schedule"), arguments.facts());
}

std::int64_t whole_steps(double rounded) {
  return rounded < 1 ? 1 : rounded < 0x1p53 ? static_cast<std::int64_t>(rounded) : kNever / 2;
}

}  // namespace

std::int64_t steps_up(double x) { return whole_steps(std::ceil(x * (1 - 1e-12))); }
std::int64_t steps_down(double x) { return whole_steps(std::floor(x * (1 + 1e-12))); }

Argument named(std::string name, double value) { return {std::move(name), number(value)}; }

Schedule every(std::int64_t h) { return every(h, h); }

Schedule every(std::int64_t h, std::int64_t first) {
  Value text = call("every", {named("", static_cast<double>(h))});
  if (first != h) {
    text = call("every",
                {named("h", static_cast<double>(h)), named("first", static_cast<double>(first))});
  }
  if (h < 1 || first < 1) {
    throw UsageError(fmt::format("{}: steps must be >= 1", print(text)));
  }
  return {text, [h, first](const Progress& progress) {
            return progress.last_due == 0 ? first : progress.last_due + h;
          }};
}

Schedule at_steps(const std::vector<std::int64_t>& steps) {
  Value list{Value::Kind::list, "", 0, {}};
  for (const std::int64_t step : steps) {
    list.arguments.push_back(named("", static_cast<double>(step)));
  }
  const Value text = call("at", {{"", list}});
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i] <= (i == 0 ? 0 : steps[i - 1])) {
      throw UsageError(fmt::format("{}: the steps must rise, from 1 on", print(text)));
    }
  }
  return {text, [steps](const Progress& progress) {
            const auto next = std::upper_bound(steps.begin(), steps.end(), progress.last_due);
            return next == steps.end() ? kNever : *next;
          }};
}

Schedule until(std::int64_t s, const Schedule& inner) {
  require_switch("until", s, inner);
  Schedule schedule = inner;
  schedule.text = switch_text("until", s, inner);
  schedule.next = [s, next = inner.next](Progress& progress) {
    const std::int64_t due = next(progress);
    return due <= s ? due : kNever;
  };
  return schedule;
}

Schedule after(std::int64_t s, const Schedule& inner) {
  require_switch("after", s, inner);
  Schedule schedule = inner;
  schedule.text = switch_text("after", s, inner);
  schedule.start = s + inner.start;
  schedule.next = [s, next = inner.next](Progress& progress) {
    Progress own = progress;
    own.last_due = std::max<std::int64_t>(0, progress.last_due - s);
    const std::int64_t due = next(own);
    progress.memory = own.memory;
    return due == kNever ? kNever : s + due;
  };
  return schedule;
}

const std::vector<Choice<Schedule>>& schedule_choices() {
  static const std::vector<Choice<Schedule>> choices = [] {
    std::vector<Choice<Schedule>> all = {
        {"every",
         {{"h"}, {"first", "h"}},
         "due at steps h, 2h, ...; with first: at first, first + h, ...",
         [](const Arguments& a) {
           return a.is("first", "h") ? every(a.steps("h")) : every(a.steps("h"), a.steps("first"));
         }},
        {"at",
         {{"steps"}},
         "due at the steps given, as in at([8, 20, 2ep])",
         [](const Arguments& a) { return at_steps(a.steps_list("steps")); }},
        {"until",
         {{"step"}, {"schedule"}},
         "the due steps of a schedule up to a step",
         [](const Arguments& a) { return until(a.steps("step"), inner_schedule(a)); }},
        {"after",
         {{"step"}, {"schedule"}},
         "a schedule with its clock started at a step",
         [](const Arguments& a) { return after(a.steps("step"), inner_schedule(a)); }},
    };
    for (const Choice<Schedule>& choice : theory_schedule_choices()) all.push_back(choice);
    for (const Choice<Schedule>& choice : adaptive_schedule_choices()) all.push_back(choice);
    return all;
  }();
  return choices;
}

Schedule build_schedule(const Value& value, const RunFacts& facts) {
  return build(schedule_choices(), value, "schedule", facts);
}

}  // namespace entrain
