#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace entrain {

/// A convex function with two derivatives, as minimise() asks for it.
class ConvexFunction {
 public:
  virtual ~ConvexFunction() = default;

  /// f at x; fills `gradient`. The point becomes the one that curved() speaks of.
  virtual double at(const std::vector<double>& x, std::vector<double>& gradient) = 0;

  /// The second derivative at the last point, times `direction`.
  virtual void curved(const std::vector<double>& direction, std::vector<double>& result) = 0;
};

struct Minimum {
  std::vector<double> point;
  double value = 0;
  double gradient_norm = 0;
};

/// Newton's method from `start`, each step by conjugate gradients and as long as it lowers f
/// enough, until the gradient is 1e-14 of the largest seen or rounding keeps it from falling. None
/// where 100 steps do not get it below 1e-12 of that.
std::optional<Minimum> minimise(ConvexFunction& function, std::vector<double> start);

}  // namespace entrain
