#pragma once

#include "entrain/core/team.h"
#include "entrain/data/dataset.h"
#include "entrain/data/sampler.h"
#include "entrain/model/model.h"
#include "entrain/strategy/synchronizer.h"
#include "entrain/train/lr_schedule.h"
#include "entrain/train/optimizer.h"

namespace entrain {

/// What a process's workers train: the parts that do not change from worker to worker.
struct Training {
  const Dataset* data = nullptr;
  MakeModel make_model;
  Task task;
  at::ScalarType type = at::kFloat;
  MakeOptimizer make_optimizer;
  LrSchedule lr_schedule;
  Strategy strategy;
  std::int64_t batch = 64;  ///< Samples per worker and step.
  std::uint64_t seed = 1;
  /// Told after each step's gradients: the step (from 1) and the seconds that each worker here
  /// took.
  std::function<void(std::int64_t step, const std::vector<double>& seconds)> computed = {};
};

/// The tensors of a model, for its row.
ModelTensors tensors_of(Model& model);

/// The workers of this process, and the step that they take side by side on the threads of a team.
/// Results depend on the seed and never on which thread ran what.
class Workers {
 public:
  /// `sampler` covers the workers of all processes. `comm`, `team` and what `training` points to
  /// must outlive this.
  Workers(const Training& training, Sampler sampler, Communicator& comm, Team& team);

  /// One step of every worker. Returns their losses [w], float64, before the step.
  at::Tensor step();

  Synchronizer& synchronizer() { return sync_; }
  const Rows& rows() const { return rows_; }
  const Sampler& sampler() const { return sampler_; }
  double lr() const { return optimizer_->lr(); }
  double epoch() const;
  std::int64_t samples_seen() const;  ///< By the workers of all processes.

 private:
  Batch next_batch(int worker) const;

  Training training_;
  Sampler sampler_;
  Team& team_;
  int first_worker_;
  std::vector<std::unique_ptr<Model>> models_;
  Rows rows_;
  Synchronizer sync_;
  std::unique_ptr<Optimizer> optimizer_;
  double base_lr_;
  at::Tensor losses_;
  std::vector<double> seconds_;
};

}  // namespace entrain
