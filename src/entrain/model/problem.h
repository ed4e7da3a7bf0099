#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <optional>

#include "entrain/core/text.h"

namespace entrain {

/// Where a problem is least.
struct Optimum {
  at::Tensor point;  ///< float64 [d]; of many such points, one.
  double value = 0;  ///< f there.
};

/// What is minimised over x in R^d: f(x) = (1/n) sum_i f_i(x) over n workers. The stochastic
/// gradients of all workers of a process come at once, from one pass over their rows, so that
/// thousands of workers cost little more than their arithmetic.
///
/// What worker i draws at step t (samples, noise) is a pure function of (seed, i, t), so that all
/// strategies see the same draws. Immutable once built: safe from several threads at once.
class Problem {
 public:
  virtual ~Problem() = default;

  virtual std::int64_t dimension() const = 0;

  /// x_0 [d], float64.
  virtual at::Tensor start() const = 0;

  /// Stochastic gradients of the workers first, first + 1, ... at step `step` (from 0). `x` and
  /// `gradients` [w, d] in the problem's type, rows apart by their stride; `losses` [w], float64,
  /// takes each worker's f_i on what it drew, before the step.
  virtual void gradients(std::int64_t step, int first, const at::Tensor& x, at::Tensor gradients,
                         at::Tensor losses) const = 0;

  /// f of each of the points [r, d] (any floating type): float64 [r].
  virtual at::Tensor objective(const at::Tensor& points) const = 0;

  /// The gradient of f at one point [d]: float64 [d].
  virtual at::Tensor gradient(const at::Tensor& point) const = 0;

  /// Known or computed to a gradient of 1e-12 of its scale; none for a problem that is not convex
  /// and has no closed form. The first call may take long.
  virtual std::optional<Optimum> optimum() const = 0;
};

/// What a problem is built for.
struct ProblemFacts {
  int workers = 1;  ///< n, of all processes.
  std::int64_t batch = 1;
  std::uint64_t seed = 1;
  at::ScalarType type = at::kDouble;  ///< Of the rows.
  std::string data_root = "data";     ///< LIBSVM sets lie in <data_root>/libsvm/<name>.
  std::string partition = "iid";      ///< How samples are dealt to the workers.
};

using MakeProblem = std::function<std::unique_ptr<Problem>(const ProblemFacts&)>;

/// The problems that texts may name, as in `logistic(samples=500, dimension=10)`.
const std::vector<Choice<MakeProblem>>& problem_choices();
MakeProblem build_problem(const Value& value, const RunFacts& facts = {});

}  // namespace entrain
