#pragma once

#include "entrain/strategy/schedule.h"

namespace entrain {

/// The due steps of a schedule up to step T, at one learning rate and a constant loss.
std::vector<std::int64_t> due_steps(const Schedule& schedule, std::int64_t T, double lr);

/// The conditions under which a sequence of intervals keeps LUPA-SGD's rate (Haddadpour et al.
/// 2019) for T steps of n workers with batches of B.
struct LupaConditions {
  std::int64_t rounds = 0;
  std::int64_t sum = 0;  ///< (i) sum tau_i = T, as it is.
  double pairs = 0;      ///< (ii) sum tau_i (tau_i - 1) over T^2.
  double longest = 0;    ///< (iii) (max tau_i)^3 over T^2 / (n B).
};
LupaConditions lupa_conditions(const std::vector<std::int64_t>& due, std::int64_t T, double n,
                               double B);

/// The conditions of a schedule, and beside it the periods that the papers in LUPA's table of
/// comparison give for the same T, n and B; lines of text.
std::string schedule_report(const Schedule& schedule, std::int64_t T, double n, double B,
                            double lr);

}  // namespace entrain
