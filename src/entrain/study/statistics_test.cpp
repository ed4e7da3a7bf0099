#include "entrain/study/statistics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace entrain {
namespace {

using Numbers = std::vector<double>;

Interval mean_at(const Numbers& values, const std::vector<int>& seeds) {
  std::vector<Interval> chosen;
  for (const int seed : seeds) chosen.push_back(exactly(values[static_cast<std::size_t>(seed)]));
  return mean_of(chosen);
}

// Any table of Student's t.
TEST(Statistics, QuantilesOfStudentsT) {
  const std::vector<std::pair<int, double>> table = {
      {1, 12.706205}, {2, 4.302653}, {3, 3.182446},  {4, 2.776445},  {5, 2.570582},
      {7, 2.364624},  {9, 2.262157}, {19, 2.093024}, {30, 2.042272}, {999, 1.962341}};
  for (const auto& [degrees, quantile] : table) {
    EXPECT_NEAR(student_t(0.975, degrees), quantile, 1e-6) << degrees;
  }
  EXPECT_NEAR(student_t(0.95, 4), 2.131847, 1e-6);
  EXPECT_NEAR(student_t(0.995, 9), 3.249836, 1e-6);
}

TEST(Statistics, OfAMeanTheUsualInterval) {
  const Numbers values = {4.1, 4.5, 3.9, 5.0, 4.4};
  const Estimate mean =
      jackknife([&](const std::vector<int>& seeds) { return mean_at(values, seeds); }, 5);
  // mean 4.38, sample standard deviation sqrt(0.707 / 4)... of squares 0.0784 + 0.0144 + 0.2304 +
  // 0.3844 + 0.0004 = 0.708
  const double half = 2.776445 * std::sqrt(0.708 / 4 / 5);
  EXPECT_NEAR(mean.value.low, 4.38, 1e-12);
  EXPECT_NEAR(mean.spread, half, 1e-6);
  EXPECT_NEAR(mean.interval.low, 4.38 - half, 1e-6);
  EXPECT_NEAR(mean.interval.high, 4.38 + half, 1e-6);
}

// Student's own data of 1908: ten patients' hours of sleep gained by two drugs. The paired 95 %
// interval of the difference is [-2.4599, -0.7001], as R's t.test(paired = TRUE) prints.
TEST(Statistics, OfADifferenceThePairedInterval) {
  const Numbers first = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
  const Numbers second = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
  const Estimate difference = jackknife(
      [&](const std::vector<int>& seeds) { return mean_at(first, seeds) - mean_at(second, seeds); },
      10);
  EXPECT_NEAR(difference.value.low, -1.58, 1e-12);
  EXPECT_NEAR(difference.interval.low, -2.4598858, 1e-6);
  EXPECT_NEAR(difference.interval.high, -0.7001142, 1e-6);
}

TEST(Statistics, EqualSeedsHaveNoSpread) {
  const Numbers values(7, 0.1);
  const Estimate mean = jackknife(
      [&](const std::vector<int>& seeds) { return logarithm(mean_at(values, seeds)) / exactly(3); },
      7);
  EXPECT_EQ(mean.spread, 0);
  EXPECT_EQ(mean.interval.low, mean.interval.high);
}

TEST(Statistics, EachEndHasItsOwnSpread) {
  const Estimate mean = jackknife(
      [](const std::vector<int>& seeds) {
        std::vector<Interval> values;
        for (const int seed : seeds) values.push_back(at_least(100 + seed));
        return mean_of(values);
      },
      5);
  EXPECT_DOUBLE_EQ(mean.value.low, 102);
  EXPECT_EQ(mean.value.high, unbounded);
  EXPECT_NEAR(mean.interval.low, 102 - 2.776445 * std::sqrt(2.5 / 5), 1e-6);
  EXPECT_EQ(mean.interval.high, unbounded);
}

}  // namespace
}  // namespace entrain
