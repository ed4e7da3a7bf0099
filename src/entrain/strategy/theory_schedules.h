#pragma once

#include <optional>

#include "entrain/strategy/schedule.h"

namespace entrain {

/// Schedules that a paper's theory gives for a run of T steps of n workers with batches of B. Where
/// a formula gives a number of steps, it is rounded up and at least 1. All throw UsageError for
/// arguments out of their range.

/// tau = c T^(2/3) / (n B)^(1/3) (Haddadpour et al. 2019, LUPA-SGD).
Schedule lupa(double c, double T, double n, double B);
/// tau = sqrt(T / (n B)) (Stich 2019).
Schedule stich(double T, double n, double B);
/// tau = T^(1/4) / n^(3/4) (Yu et al. 2019).
Schedule yu(double T, double n);
/// tau = T^(1/2) / n^(3/2) (Wang & Joshi 2018).
Schedule wang_joshi(double T, double n);
/// tau = T: averaged once, at the end.
Schedule one_shot(std::int64_t T);

/// Interval i (from 0) is (1 + i alpha) tau0, rounded to nearest; the last ends at T (ADA-LUPA-SGD,
/// Haddadpour et al. 2019).
Schedule ada_linear(double tau0, double alpha, std::int64_t T);
/// The alpha for E rounds in T steps: 2 / (E + 1) T / (E tau0), as the authors' code has it, or,
/// `exact`, 2 (T / (E tau0) - 1) / (E - 1), for which E intervals sum to T.
double ada_linear_alpha(double tau0, double rounds, double T, bool exact);

/// Interval t (from 1) is n0 t^a (Patel & Dieuleveut 2019).
Schedule growing(double n0, double a);
/// floor(1 / (mu lr n)) at the learning rate of its start (Patel & Dieuleveut 2019, Proposition 4
/// for quadratic functions).
Schedule quad_rule(double mu, double n);
/// floor(min(1 / (lr n m d), 1 / (mu lr n))), with m the bound on the third derivative and d the
/// distance to the optimum (the same, for smooth functions): a constant or, with `sigma`,
/// the bound of Proposition 3 from the distance at the start,
/// d^2 = (1 - lr mu)^N distance^2 + sigma^2 lr (1 - (1 - lr mu)^N) / (n mu) after N steps.
Schedule smooth_rule(double mu, double m, double distance, std::optional<double> sigma, double n);

/// Few local steps at first, then h (Lin et al. 2020): while i = steps / unit < over, `constant`:
/// 1; `linear`: i h / over; `exponential`: 2^(i log2(over) / over); whole parts, at least 1.
Schedule warm_up(const std::string& kind, std::int64_t over, std::int64_t h, std::int64_t unit);

const std::vector<Choice<Schedule>>& theory_schedule_choices();

}  // namespace entrain
