#pragma once

#include "entrain/model/problem.h"

namespace entrain {

/// f_i(x) = (x - c_i)^T H (x - c_i) / 2 with H diagonal, its eigenvalues in equal steps from
/// `least` to `most`, and c_i ~ N(0, spread^2 I), a function of the run's seed. A gradient has the
/// noise N(0, noise^2/d I), so that E|xi|^2 = noise^2, whatever the batch. x_0 lies `start` away
/// from the optimum, the mean of the c_i, along (1, ..., 1).
struct QuadraticOptions {
  std::int64_t dimension = 5;
  double least = 0.1, most = 1;
  double noise = 1, spread = 0, start = 1;
};

/// f_i(x) = sum_j x_j^2 + 3 sin^2 x_j, not convex and yet f <= |gradient|^2 / (2 mu), mu = 0.1755
/// (PL); noise as in a quadratic; x_0 = (start, ..., start).
struct SineOptions {
  std::int64_t dimension = 1;
  double noise = 1, start = 3;
};

/// Throw UsageError for an option without sense, with its value.
MakeProblem quadratic(const QuadraticOptions& options);
MakeProblem sine(const SineOptions& options);

}  // namespace entrain
