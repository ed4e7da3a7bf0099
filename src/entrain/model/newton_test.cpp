#include "entrain/model/newton.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace entrain {
namespace {

using Point = std::vector<double>;

/// sum_j phi(a_j x_j - b_j), for a function phi of one number with its two derivatives.
class Separable : public ConvexFunction {
 public:
  struct Phi {
    double value, slope, bend;
  };
  Separable(std::function<Phi(double)> phi, Point a, Point b)
      : phi_(std::move(phi)), a_(std::move(a)), b_(std::move(b)), bend_(a_.size()) {}

  double at(const Point& x, Point& gradient) override {
    double sum = 0;
    for (std::size_t j = 0; j < x.size(); ++j) {
      const Phi phi = phi_(a_[j] * x[j] - b_[j]);
      sum += phi.value;
      gradient[j] = a_[j] * phi.slope;
      bend_[j] = a_[j] * a_[j] * phi.bend;
    }
    return sum;
  }

  void curved(const Point& direction, Point& result) override {
    for (std::size_t j = 0; j < direction.size(); ++j) result[j] = bend_[j] * direction[j];
  }

 private:
  std::function<Phi(double)> phi_;
  Point a_, b_, bend_;
};

Separable::Phi square(double t) { return {t * t / 2, t, 1}; }

// ln cosh: undamped, Newton's steps from beyond 1.09 part for ever.
Separable::Phi smooth_distance(double t) {
  const double bend = 1 / std::cosh(t);
  return {std::abs(t) + std::log1p(std::exp(-2 * std::abs(t))) - std::log(2), std::tanh(t),
          bend * bend};
}

TEST(Newton, SolvesAnIllConditionedQuadratic) {
  Point a(60), b(60);
  for (int j = 0; j < 60; ++j) {
    a[j] = std::pow(10, -j / 30.0);
    b[j] = j % 7 - 3;
  }
  Separable f(square, a, b);
  const auto least = minimise(f, Point(60));
  ASSERT_TRUE(least);
  for (int j = 0; j < 60; ++j)
    EXPECT_NEAR(least->point[j], b[j] / a[j], 1e-8 * (1 + std::abs(b[j] / a[j])));
  EXPECT_LE(least->value, 1e-20);
}

TEST(Newton, ShortensItsStepsFarFromTheMinimum) {
  Separable f(smooth_distance, {1, 2, 0.5}, {5, -8, 0});
  const auto least = minimise(f, Point(3));
  ASSERT_TRUE(least);
  EXPECT_NEAR(least->point[0], 5, 1e-10);
  EXPECT_NEAR(least->point[1], -4, 1e-10);
  EXPECT_NEAR(least->value, 0, 1e-14);
}

TEST(Newton, LeavesAloneWhatHasNoCurvature) {
  Separable f(square, {1, 0, 2}, {3, 0, 4});
  const auto least = minimise(f, {0, 7, 0});
  ASSERT_TRUE(least);
  EXPECT_EQ(least->point[1], 7);
  EXPECT_NEAR(least->point[0], 3, 1e-12);
}

TEST(Newton, FindsNothingWhereThereIsNoMinimum) {
  Separable f([](double t) { return Separable::Phi{t, 1, 0}; }, {1}, {0});
  EXPECT_FALSE(minimise(f, Point(1)));
}

TEST(Newton, StaysAtTheMinimum) {
  Separable f(square, {1, 2}, {0, 0});
  const auto least = minimise(f, Point(2));
  ASSERT_TRUE(least);
  EXPECT_EQ(least->point, Point(2));
}

}  // namespace
}  // namespace entrain
