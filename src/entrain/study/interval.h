#pragma once

#include <limits>
#include <string>
#include <vector>

namespace entrain {

/// What is known of a number: it lies in [low, high]. Where the ends are equal it is known exactly;
/// a time that the end of a run cut off is [last step, infinity]. Arithmetic keeps every number
/// that the operands may be; ends that are no number (log of -1) stay so.
struct Interval {
  double low = 0, high = 0;

  bool exact() const { return low == high; }
  bool is_number() const { return low <= high; }
  bool contains(double number) const { return low <= number && number <= high; }
};

inline constexpr double unbounded = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

inline Interval exactly(double number) { return {number, number}; }
inline Interval at_least(double number) { return {number, unbounded}; }
inline Interval anything() { return {-unbounded, unbounded}; }

Interval operator-(const Interval& a);
Interval operator+(const Interval& a, const Interval& b);
Interval operator-(const Interval& a, const Interval& b);
Interval operator*(const Interval& a, const Interval& b);
Interval operator/(const Interval& a, const Interval& b);

/// a^b; where it is not exact, only for a >= 0 and one exact operand.
Interval power(const Interval& a, const Interval& b);

Interval logarithm(const Interval& a);
Interval exponential(const Interval& a);
Interval square_root(const Interval& a);
Interval smaller(const Interval& a, const Interval& b);
Interval larger(const Interval& a, const Interval& b);

/// The mean; exactly the number that they all are, if they are one. REQUIRES: not empty.
Interval mean_of(const std::vector<Interval>& values);

/// The sample variance (n - 1); not a number for fewer than two, anything if one is not exact.
Interval variance_of(const std::vector<Interval>& values);

/// The exponent of y ~ x^slope: least squares of log y on log x. Not a number where an x is not
/// above 0 or all are equal. REQUIRES: as many ys as xs.
Interval log_log_slope(const std::vector<Interval>& xs, const std::vector<Interval>& ys);

/// "0.0123", ">= 8000", "<= 3", "unknown".
std::string print(const Interval& value);

}  // namespace entrain
