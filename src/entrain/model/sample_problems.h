#pragma once

#include <optional>
#include <string>

#include "entrain/model/linear_generators.h"
#include "entrain/model/problem.h"

namespace entrain {

/// A set in LIBSVM's format from the data root; `lambda` is 1/samples unless given.
struct LibsvmOptions {
  std::string name;
  std::optional<double> lambda = std::nullopt;
  bool shared = false;
  bool start_at_optimum = false;
};

/// The builders throw UsageError for an option without sense, with its value, and for a partition
/// where there is nothing to deal.
MakeProblem logistic(const LogisticOptions& options);
MakeProblem heterogeneous_logistic(const HeterogeneousOptions& options);
MakeProblem softmax_regression(const SoftmaxOptions& options);
MakeProblem least_squares(const LeastSquaresOptions& options);
MakeProblem libsvm(const LibsvmOptions& options);

}  // namespace entrain
