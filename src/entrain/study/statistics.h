#pragma once

#include <functional>
#include <vector>

#include "entrain/study/interval.h"

namespace entrain {

/// The q-quantile of Student's t distribution, for q in (0.5, 1): t(0.975, 4) = 2.776445.
/// REQUIRES: degrees >= 1.
double student_t(double q, int degrees);

/// A figure over seeds and its spread: the 95 % interval by Student's t.
struct Estimate {
  Interval value;          ///< Over all seeds.
  double spread = 0;       ///< Half the width of the interval of the value; of the ends' wider one.
  Interval interval = {};  ///< From below the low end to above the high end.
};

/// A function of seeds, given by their indices.
using OfSeeds = std::function<Interval(const std::vector<int>&)>;

/// Estimates `figure` over seeds 0 ... count - 1; its spread is that of the delete-one jackknife
/// (Efron 1982), which for a mean is the usual t interval, and for a difference of means over the
/// same seeds the paired one. Each end of an interval has its own spread.
///
/// REQUIRES: count >= 2.
Estimate jackknife(const OfSeeds& figure, int count);

}  // namespace entrain
