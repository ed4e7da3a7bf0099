#include "entrain/model/newton.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace entrain {
namespace {

using Vector = std::vector<double>;

constexpr int most_steps = 100, most_halvings = 40;
constexpr double enough = 1e-14, required = 1e-12;
constexpr double flat = 1e-15;  // of the greatest curvature seen: all rounding

double inner(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double norm(const Vector& a) { return std::sqrt(inner(a, a)); }

void add(Vector& to, double factor, const Vector& what) {
  for (std::size_t j = 0; j < to.size(); ++j) to[j] += factor * what[j];
}

// Solves H p = -g by conjugate gradients to |H p + g| <= tolerance |g|. A direction without
// curvature ends it: the gradient of a convex function has no part there but rounding.
Vector newton_direction(ConvexFunction& function, const Vector& gradient, double tolerance) {
  Vector p(gradient.size()), residual(gradient.size()), curved(gradient.size());
  for (std::size_t j = 0; j < p.size(); ++j) residual[j] = -gradient[j];
  Vector direction = residual;
  double squares = inner(residual, residual), most_bent = 0;
  const double goal = tolerance * tolerance * squares;
  for (std::size_t i = 0; i < 10 * p.size() + 20 && squares > goal; ++i) {
    function.curved(direction, curved);
    const double bend = inner(direction, curved), length = inner(direction, direction);
    most_bent = std::max(most_bent, bend / length);
    if (!(bend > flat * most_bent * length)) break;
    add(p, squares / bend, direction);
    add(residual, -squares / bend, curved);
    const double before = std::exchange(squares, inner(residual, residual));
    for (std::size_t j = 0; j < p.size(); ++j) {
      direction[j] = residual[j] + squares / before * direction[j];
    }
  }
  return p;
}

// Halves the step until f falls by a part of what its slope promises, but for rounding.
bool step(ConvexFunction& function, const Vector& direction, Minimum& at, Vector& gradient) {
  const double slope = inner(gradient, direction);
  double factor = 1;
  for (int i = 0; i < most_halvings; ++i, factor /= 2) {
    Vector next = at.point, next_gradient(gradient.size());
    add(next, factor, direction);
    const double value = function.at(next, next_gradient);
    if (value <= at.value + 1e-4 * factor * slope + 1e-14 * std::abs(at.value)) {
      at = {std::move(next), value, norm(next_gradient)};
      gradient = std::move(next_gradient);
      return true;
    }
  }
  return false;
}

}  // namespace

std::optional<Minimum> minimise(ConvexFunction& function, std::vector<double> start) {
  Vector gradient(start.size());
  Minimum at{std::move(start), 0, 0};
  at.value = function.at(at.point, gradient);
  at.gradient_norm = norm(gradient);
  double scale = at.gradient_norm;
  Minimum best = at;
  for (int i = 0; i < most_steps && at.gradient_norm > enough * scale; ++i) {
    // More exact solutions gain little, and are out of reach where a direction has no curvature.
    const double tolerance = std::clamp(at.gradient_norm / scale, 1e-6, 0.1);
    const double before = at.gradient_norm;
    if (!step(function, newton_direction(function, gradient, tolerance), at, gradient)) break;
    scale = std::max(scale, at.gradient_norm);
    if (at.gradient_norm < best.gradient_norm) best = at;
    if (at.gradient_norm > before / 2 && before <= required * scale) break;  // rounding
  }
  if (!(best.gradient_norm <= required * scale)) return std::nullopt;
  return best;
}

}  // namespace entrain
