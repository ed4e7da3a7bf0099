#include "entrain/strategy/schedule_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "entrain/strategy/agenda.h"
#include "entrain/strategy/theory_schedules.h"

namespace entrain {

std::vector<std::int64_t> due_steps(const Schedule& schedule, std::int64_t T, double lr) {
  Agenda agenda({schedule});
  std::vector<std::int64_t> due;
  while (agenda.next() <= T) {
    const std::int64_t step = agenda.next();
    if (agenda.fire(step, lr) >= 0) due.push_back(step);
    agenda.plan({1.0});
  }
  return due;
}

LupaConditions lupa_conditions(const std::vector<std::int64_t>& due, std::int64_t T, double n,
                               double B) {
  LupaConditions conditions;
  std::int64_t last = 0;
  double longest = 0;
  const auto squared = static_cast<double>(T) * static_cast<double>(T);
  for (const std::int64_t step : due) {
    const auto interval = static_cast<double>(step - last);
    conditions.sum += step - last;
    conditions.pairs += interval * (interval - 1) / squared;
    longest = std::max(longest, interval);
    last = step;
  }
  conditions.rounds = static_cast<std::int64_t>(due.size());
  conditions.longest = std::pow(longest, 3) * n * B / squared;
  return conditions;
}

std::string schedule_report(const Schedule& schedule, std::int64_t T, double n, double B,
                            double lr) {
  const auto due = due_steps(schedule, T, lr);
  const LupaConditions own = lupa_conditions(due, T, n, B);
  std::string text = fmt::format(
      "{}: {} rounds in {} steps of {} workers with batches of {}\n"
      "  (i)   sum of the intervals          {} of {}\n"
      "  (ii)  sum tau (tau - 1) / T^2       {:.3g}\n"
      "  (iii) (max tau)^3 / (T^2 / (n B))   {:.3g}\n",
      print(schedule.text), own.rounds, T, n, B, own.sum, T, own.pairs, own.longest);
  const auto steps = static_cast<double>(T);
  text += "periods for the same run:";
  for (const Schedule& other :
       {lupa(1, steps, n, B), stich(steps, n, B), wang_joshi(steps, n), yu(steps, n)}) {
    Progress start;
    text += fmt::format(" {} {},", other.text.name, other.next(start));
  }
  text.back() = '\n';
  return text;
}

}  // namespace entrain
