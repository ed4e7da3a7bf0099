#include "entrain/study/interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

bool both_exact(const Interval& a, const Interval& b) { return a.exact() && b.exact(); }

bool both_numbers(const Interval& a, const Interval& b) { return a.is_number() && b.is_number(); }

// Of two ends: a number that may be 0 times one that may be without bound is any of that sign.
double end_product(double a, double b) { return a == 0 || b == 0 ? 0 : a * b; }

Interval between(double a, double b) { return {std::min(a, b), std::max(a, b)}; }

Interval reciprocal(const Interval& a) {
  if (a.low >= 0) return {1 / a.high, 1 / std::abs(a.low)};
  if (a.high < 0) return {1 / a.high, 1 / a.low};
  return anything();
}

double mean_of_ends(const std::vector<Interval>& values, double Interval::*end) {
  const double first = values.front().*end;
  if (!std::isfinite(first)) return first;
  double sum = 0;  // of the differences, so that equal numbers have that number as their mean
  for (const Interval& value : values) sum += value.*end - first;
  return first + sum / static_cast<double>(values.size());
}

bool all_exact(const std::vector<Interval>& values) {
  return std::all_of(values.begin(), values.end(), [](const Interval& v) { return v.exact(); });
}

}  // namespace

Interval operator-(const Interval& a) { return {-a.high, -a.low}; }

Interval operator+(const Interval& a, const Interval& b) {
  return {a.low + b.low, a.high + b.high};
}

Interval operator-(const Interval& a, const Interval& b) { return a + -b; }

Interval operator*(const Interval& a, const Interval& b) {
  if (both_exact(a, b)) return exactly(a.low * b.low);
  if (!both_numbers(a, b)) return exactly(not_a_number);
  const auto [low, high] = std::minmax({end_product(a.low, b.low), end_product(a.low, b.high),
                                        end_product(a.high, b.low), end_product(a.high, b.high)});
  return {low, high};
}

Interval operator/(const Interval& a, const Interval& b) {
  if (both_exact(a, b)) return exactly(a.low / b.low);
  if (!both_numbers(a, b)) return exactly(not_a_number);
  return a * reciprocal(b);
}

Interval power(const Interval& a, const Interval& b) {
  if (both_exact(a, b)) return exactly(std::pow(a.low, b.low));
  if (!both_numbers(a, b)) return exactly(not_a_number);
  if (a.low < 0 || !(a.exact() || b.exact())) return anything();
  const double low = std::abs(a.low);  // not -0, of which a power may be -infinity
  return a.exact() ? between(std::pow(low, b.low), std::pow(low, b.high))
                   : between(std::pow(low, b.low), std::pow(a.high, b.low));
}

Interval logarithm(const Interval& a) {
  if (a.exact() || !(a.high >= 0)) return exactly(std::log(a.high));
  return {a.low > 0 ? std::log(a.low) : -unbounded, std::log(a.high)};
}

Interval exponential(const Interval& a) { return {std::exp(a.low), std::exp(a.high)}; }

Interval square_root(const Interval& a) {
  if (a.exact() || !(a.high >= 0)) return exactly(std::sqrt(a.high));
  return {std::sqrt(std::max(a.low, 0.0)), std::sqrt(a.high)};
}

Interval smaller(const Interval& a, const Interval& b) {
  if (!both_numbers(a, b)) return exactly(not_a_number);
  return {std::min(a.low, b.low), std::min(a.high, b.high)};
}

Interval larger(const Interval& a, const Interval& b) { return -smaller(-a, -b); }

Interval mean_of(const std::vector<Interval>& values) {
  ENTRAIN_CHECK(!values.empty());
  const auto bad = std::find_if(values.begin(), values.end(),
                                [](const Interval& value) { return !value.is_number(); });
  if (bad != values.end()) return exactly(not_a_number);
  return {mean_of_ends(values, &Interval::low), mean_of_ends(values, &Interval::high)};
}

Interval variance_of(const std::vector<Interval>& values) {
  if (values.size() < 2) return exactly(not_a_number);
  const Interval mean = mean_of(values);
  if (!mean.is_number()) return mean;
  if (!all_exact(values)) return anything();
  double sum = 0;
  for (const Interval& value : values) sum += (value.low - mean.low) * (value.low - mean.low);
  return exactly(sum / static_cast<double>(values.size() - 1));
}

Interval log_log_slope(const std::vector<Interval>& xs, const std::vector<Interval>& ys) {
  ENTRAIN_CHECK(xs.size() == ys.size());
  if (!all_exact(xs)) return anything();
  std::vector<Interval> logs;
  for (const Interval& x : xs) logs.push_back(logarithm(x));
  const double mean = mean_of(logs).low;
  double squares = 0;
  for (const Interval& x : logs) squares += (x.low - mean) * (x.low - mean);
  if (!(squares > 0) || !std::isfinite(squares)) return exactly(not_a_number);
  Interval slope;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    slope = slope + exactly((logs[i].low - mean) / squares) * logarithm(ys[i]);
  }
  return slope;
}

std::string print(const Interval& value) {
  if (value.exact()) return fmt::format("{:.4g}", value.low);
  if (!value.is_number()) return "not a number";
  if (value.low == -unbounded && value.high == unbounded) return "unknown";
  if (value.high == unbounded) return fmt::format(">= {:.4g}", value.low);
  if (value.low == -unbounded) return fmt::format("<= {:.4g}", value.high);
  return fmt::format("{:.4g} to {:.4g}", value.low, value.high);
}

}  // namespace entrain
