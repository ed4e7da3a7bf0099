#include "entrain/study/statistics.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

// The chance that |T| <= t, in closed form for whole degrees (Abramowitz and Stegun 26.7.3-4).
double central_chance(double t, int degrees) {
  const double angle = std::atan2(t, std::sqrt(static_cast<double>(degrees)));
  const double cosine = std::cos(angle), square = cosine * cosine;
  const bool odd = degrees % 2 == 1;
  double term = odd ? cosine : 1, sum = 0;
  for (int k = odd ? 1 : 0; k <= degrees - 2; k += 2) {
    sum += term;
    term *= square * (k + 1) / (k + 2);
  }
  const double tail = std::sin(angle) * sum;
  return odd ? (angle + tail) * 2 / std::numbers::pi : tail;
}

// Half the width of the 95 % interval; 0 where nothing varies, unbounded where it is not known.
double jackknife_spread(const std::vector<double>& without_one) {
  const auto n = static_cast<double>(without_one.size());
  const double first = without_one.front();
  double sum = 0, squares = 0;
  for (const double value : without_one) {
    if (!std::isfinite(value)) return unbounded;
    sum += value - first;
  }
  for (const double value : without_one) {
    const double deviation = value - first - sum / n;
    squares += deviation * deviation;
  }
  return student_t(0.975, static_cast<int>(n) - 1) * std::sqrt((n - 1) / n * squares);
}

}  // namespace

double student_t(double q, int degrees) {
  ENTRAIN_CHECK(degrees >= 1 && q > 0.5 && q < 1);
  const double wanted = 2 * q - 1;
  double low = 0, high = 1;
  while (central_chance(high, degrees) < wanted) high *= 2;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (central_chance(middle, degrees) < wanted ? low : high) = middle;
  }
  return (low + high) / 2;
}

Estimate jackknife(const OfSeeds& figure, int count) {
  ENTRAIN_CHECK(count >= 2);
  std::vector<int> seeds(static_cast<std::size_t>(count));
  std::iota(seeds.begin(), seeds.end(), 0);
  Estimate estimate{.value = figure(seeds)};
  std::vector<double> lows, highs;
  for (int left_out = 0; left_out < count; ++left_out) {
    std::vector<int> others;
    for (const int seed : seeds) {
      if (seed != left_out) others.push_back(seed);
    }
    const Interval value = figure(others);
    lows.push_back(value.low);
    highs.push_back(value.high);
  }
  const double below = jackknife_spread(lows), above = jackknife_spread(highs);
  const Interval& value = estimate.value;
  estimate.interval = {std::isfinite(value.low) ? value.low - below : value.low,
                       std::isfinite(value.high) ? value.high + above : value.high};
  estimate.spread = std::isfinite(value.low)    ? below
                    : std::isfinite(value.high) ? above
                                                : unbounded;
  if (std::isfinite(value.low) && std::isfinite(value.high))
    estimate.spread = std::max(below, above);
  return estimate;
}

}  // namespace entrain
