#include "entrain/data/dirichlet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>

namespace entrain {
namespace {

constexpr int draws = 20'000;

/// The first of two shares is a Beta(alpha, alpha) variable: the largest distance of its empirical
/// distribution from the exact one (Kolmogorov-Smirnov).
double distance_from_beta(double alpha, const std::function<double(double)>& distribution) {
  Stream stream(7, Purpose::partition);
  std::vector<double> values;
  for (int i = 0; i < draws; ++i) values.push_back(dirichlet(stream, alpha, 2)[0]);
  std::sort(values.begin(), values.end());
  double largest = 0;
  for (int i = 0; i < draws; ++i) {
    const double exact = distribution(values[i]);
    largest = std::max({largest, exact - double(i) / draws, double(i + 1) / draws - exact});
  }
  return largest;
}

TEST(Dirichlet, OfTwoSharesIsTheBetaDistribution) {
  const double critical = 1.63 / std::sqrt(draws);  // exceeded with probability 1 %
  const auto arcsine = [](double x) { return 2 / std::numbers::pi * std::asin(std::sqrt(x)); };
  EXPECT_LT(distance_from_beta(0.5, arcsine), critical);
  EXPECT_LT(distance_from_beta(1, [](double x) { return x; }), critical);
  EXPECT_LT(distance_from_beta(2, [](double x) { return x * x * (3 - 2 * x); }), critical);
  EXPECT_GT(distance_from_beta(1, arcsine), critical);
}

TEST(Dirichlet, HasItsMeansAndVariances) {
  constexpr int count = 5;
  constexpr double mean = 1.0 / count;
  for (const double alpha : {0.05, 0.5, 1.0, 3.0, 100.0}) {
    Stream stream(3, Purpose::partition);
    std::vector<double> sums(count), squares(count);
    for (int i = 0; i < draws; ++i) {
      const auto shares = dirichlet(stream, alpha, count);
      EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-12);
      for (int k = 0; k < count; ++k) {
        sums[k] += shares[k];
        squares[k] += (shares[k] - mean) * (shares[k] - mean);
      }
    }
    const double variance = mean * (1 - mean) / (count * alpha + 1);
    for (int k = 0; k < count; ++k) {
      EXPECT_NEAR(sums[k] / draws, mean, 5 * std::sqrt(variance / draws)) << alpha;
      EXPECT_NEAR(squares[k] / draws / variance, 1, 0.06) << alpha;
    }
  }
}

TEST(Dirichlet, StaysFiniteAtTheEnds) {
  Stream stream(1, Purpose::partition);
  for (const double alpha : {1e-100, 1e-9, 1e9, 1e300}) {
    const auto shares = dirichlet(stream, alpha, 7);
    EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-12) << alpha;
    const double largest = *std::max_element(shares.begin(), shares.end());
    EXPECT_NEAR(largest, alpha < 1 ? 1 : 1.0 / 7, 1e-3) << alpha;
  }
  EXPECT_EQ(dirichlet(stream, 0.5, 1), std::vector<double>{1});
}

}  // namespace
}  // namespace entrain
