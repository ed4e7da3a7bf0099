#pragma once

#include <cmath>

#include "reference/problem.h"

namespace reference {

/// The loss whose gradient is Problem::gradient: sum over coordinates of
/// a/2 (x - c)^2 + 0.3 sin(2x) + noise x + 2; the 2 keeps it positive.
inline double loss(const Problem& problem, int worker, int step, const Vector& x) {
  const int i = problem.same_data ? 0 : worker;
  double sum = 0;
  for (int j = 0; j < problem.size; ++j) {
    const double a = 0.5 + 0.25 * ((i * 7 + j * 3) % 5);
    const double c = std::sin(1.7 * i + 0.9 * j);
    const double noise = 0.2 * std::sin(12.9898 * (i + 1) + 78.233 * (j + 1) + 37.719 * step);
    sum += a / 2 * (x[j] - c) * (x[j] - c) + 0.3 * std::sin(2 * x[j]) + noise * x[j] + 2;
  }
  return sum;
}

/// Mean over the workers, each at its own parameters.
inline double mean_loss(const Problem& problem, int step, const std::vector<Vector>& x) {
  double sum = 0;
  for (int i = 0; i < problem.workers; ++i) sum += loss(problem, i, step, x[i]);
  return sum / problem.workers;
}

}  // namespace reference
