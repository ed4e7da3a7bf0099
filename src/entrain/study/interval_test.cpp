#include "entrain/study/interval.h"

#include <gtest/gtest.h>

#include <cmath>

#include "entrain/core/seeds.h"

namespace entrain {
namespace {

void expect_interval(const Interval& value, double low, double high) {
  EXPECT_DOUBLE_EQ(value.low, low);
  EXPECT_DOUBLE_EQ(value.high, high);
}

Interval at_most(double number) { return {-unbounded, number}; }

TEST(Interval, ExactNumbersAreNumbers) {
  expect_interval(exactly(3) + exactly(4), 7, 7);
  expect_interval(exactly(3) - exactly(4), -1, -1);
  expect_interval(exactly(3) * exactly(-4), -12, -12);
  expect_interval(exactly(3) / exactly(4), 0.75, 0.75);
  expect_interval(power(exactly(-2), exactly(3)), -8, -8);
  EXPECT_FALSE(logarithm(exactly(-1)).is_number());
  EXPECT_FALSE(square_root(exactly(-1)).is_number());
  EXPECT_FALSE((exactly(0) / exactly(0)).is_number());
}

// A censored time is a lower bound; each operation keeps what it is a bound of.
TEST(Interval, BoundsThroughArithmetic) {
  const Interval late = at_least(8000);
  expect_interval(late + exactly(1), 8001, unbounded);
  expect_interval(exactly(1200) - late, -unbounded, -6800);
  expect_interval(late - late, -unbounded, unbounded);
  expect_interval(exactly(2) * late, 16000, unbounded);
  expect_interval(exactly(-2) * late, -unbounded, -16000);
  expect_interval(exactly(0) * late, 0, 0);
  expect_interval(late * late, 64e6, unbounded);
  expect_interval(late / exactly(2), 4000, unbounded);
  expect_interval(exactly(80) / late, 0, 0.01);
  expect_interval(at_most(3) * at_most(4), -unbounded, unbounded);
  expect_interval(exactly(1) / at_most(3), -unbounded, unbounded);
  expect_interval(power(late, exactly(2)), 64e6, unbounded);
  expect_interval(power(late, exactly(-1)), 0, 1.0 / 8000);
  expect_interval(power(exactly(2), at_least(3)), 8, unbounded);
  expect_interval(power(at_most(3), exactly(2)), -unbounded, unbounded);
  expect_interval(logarithm(at_least(1)), 0, unbounded);
  expect_interval(logarithm(at_most(1)), -unbounded, 0);
  expect_interval(exponential(at_most(0)), 0, 1);
  expect_interval(square_root(at_least(9)), 3, unbounded);
  expect_interval(smaller(exactly(3), late), 3, 3);
  expect_interval(smaller(exactly(9000), late), 8000, 9000);
  expect_interval(larger(exactly(3), late), 8000, unbounded);
}

TEST(Interval, Means) {
  expect_interval(mean_of({exactly(1), exactly(2), exactly(6)}), 3, 3);
  expect_interval(mean_of({exactly(1), at_least(2)}), 1.5, unbounded);
  expect_interval(mean_of({exactly(1), anything()}), -unbounded, unbounded);
  EXPECT_FALSE(mean_of({exactly(1), exactly(not_a_number)}).is_number());
  for (const int n : {2, 3, 7, 10}) {
    const std::vector<Interval> equal(static_cast<std::size_t>(n), exactly(0.1));
    EXPECT_EQ(mean_of(equal).low, 0.1) << n;  // to the bit, so that nothing seems to vary
  }
}

TEST(Interval, Variances) {
  expect_interval(variance_of({exactly(1), exactly(2), exactly(6)}), 7, 7);
  expect_interval(variance_of({exactly(1), at_least(2)}), -unbounded, unbounded);
  EXPECT_FALSE(variance_of({exactly(1)}).is_number());
}

TEST(Interval, SlopesOfPowerLaws) {
  std::vector<Interval> xs, ys;
  for (const double x : {4.0, 8.0, 20.0, 64.0}) {
    xs.push_back(exactly(x));
    ys.push_back(exactly(3 * std::pow(x, -0.5)));
  }
  EXPECT_NEAR(log_log_slope(xs, ys).low, -0.5, 1e-12);
  ys.back() = at_least(1);  // the last point pulls the slope up, however high it is
  EXPECT_EQ(log_log_slope(xs, ys).high, unbounded);
  EXPECT_TRUE(std::isfinite(log_log_slope(xs, ys).low));
  ys.back() = exactly(1), ys.front() = at_least(1);  // the first one down
  EXPECT_EQ(log_log_slope(xs, ys).low, -unbounded);
  EXPECT_TRUE(std::isfinite(log_log_slope(xs, ys).high));
  EXPECT_FALSE(log_log_slope({exactly(2), exactly(2)}, {exactly(1), exactly(2)}).is_number());
  EXPECT_FALSE(log_log_slope({exactly(0), exactly(2)}, {exactly(1), exactly(2)}).is_number());
}

TEST(Interval, Prints) {
  EXPECT_EQ(print(exactly(0.0123456)), "0.01235");
  EXPECT_EQ(print(at_least(8000)), ">= 8000");
  EXPECT_EQ(print(at_most(-3)), "<= -3");
  EXPECT_EQ(print(anything()), "unknown");
  EXPECT_EQ(print(exactly(not_a_number)), "not a number");
}

// Any numbers inside of two intervals give a number inside of the result.
TEST(Interval, KeepsEveryNumberThatTheOperandsMayBe) {
  Stream random(1, Purpose::sample);
  const auto draw = [&] {
    const double a = std::round(8 * random.uniform() - 4), b = a + std::round(3 * random.uniform());
    const std::uint64_t kind = random.below(4);
    return kind == 0   ? exactly(a)
           : kind == 1 ? at_least(a)
           : kind == 2 ? at_most(a)
                       : Interval{a, b};
  };
  const auto inside = [&](const Interval& in) {
    const double low = std::max(in.low, -50.0), high = std::min(in.high, 50.0);
    return low + random.uniform() * (high - low);
  };
  for (int i = 0; i < 20000; ++i) {
    const Interval a = draw(), b = draw();
    const double x = inside(a), y = inside(b);
    const auto expect_inside = [&](const Interval& result, double value, const char* name) {
      if (!std::isfinite(value)) return;
      const double slack = 1e-9 * (1 + std::abs(value));
      EXPECT_LE(result.low, value + slack) << name << x << " " << y;
      EXPECT_GE(result.high, value - slack) << name << x << " " << y;
    };
    expect_inside(a + b, x + y, "+");
    expect_inside(a - b, x - y, "-");
    expect_inside(a * b, x * y, "*");
    if (!(b.exact() && b.low == 0)) expect_inside(a / b, x / y, "/");
    expect_inside(power(a, b), std::pow(x, y), "^");
    expect_inside(logarithm(a), std::log(x), "log");
    expect_inside(square_root(a), std::sqrt(x), "sqrt");
    expect_inside(smaller(a, b), std::min(x, y), "min");
    expect_inside(larger(a, b), std::max(x, y), "max");
  }
}

}  // namespace
}  // namespace entrain
