#pragma once

#include "entrain/core/team.h"
#include "entrain/data/dataset.h"
#include "entrain/data/sampler.h"
#include "entrain/model/model.h"
#include "entrain/model/problem.h"
#include "entrain/strategy/rows.h"

namespace entrain {

/// What the workers of a run learn from: a model on samples of a data set, or a problem.
struct Objective {
  const Dataset* data = nullptr;
  const Sampler* sampler = nullptr;  ///< Of the workers of all processes.
  MakeModel make_model = {};
  Task task = {};
  const Problem* problem = nullptr;  ///< Instead of all above.

  at::ScalarType type = at::kFloat;
  std::int64_t batch = 64;  ///< Samples per worker and step.
  std::uint64_t seed = 1;
};

/// Where the gradients of a process's workers come from.
class Gradients {
 public:
  virtual ~Gradients() = default;

  /// Puts the gradient of step `step` (from 0) into each row of rows.gradients(), all zero, at its
  /// row of parameters. `losses` [w], float64, takes the losses before the step, `seconds` [w] how
  /// long each worker took. Results depend on the seed and never on which thread ran what.
  virtual void compute(std::int64_t step, Rows& rows, at::Tensor& losses,
                       std::vector<double>& seconds) = 0;

  /// `final_from` is told in compute(), where the process has one worker, from which column on its
  /// gradients are final, as they become so. Without this nothing is told.
  virtual void tell_final(std::function<void(std::int64_t column)> final_from) = 0;

  /// After `steps` steps: passes over the data of all workers, and samples that all drew.
  virtual double epochs(std::int64_t steps) const = 0;
  virtual std::int64_t samples(std::int64_t steps) const = 0;
};

/// Gradients with the rows that they are for: those of workers first, first + 1, ...
struct Source {
  std::unique_ptr<Gradients> gradients;
  Rows rows;
};

/// `count` of the `workers` in all, from `first`. `objective` points to what outlives the source,
/// and so does `team`.
Source gradients_of(const Objective& objective, int first, int count, int workers, Team& team);

/// The tensors of a model, for its row.
ModelTensors tensors_of(Model& model);

/// One row as every worker starts with.
Rows initial_row(const Objective& objective);

}  // namespace entrain
