#pragma once

#include "entrain/strategy/synchronizer.h"
#include "entrain/train/gradients.h"
#include "entrain/train/lr_schedule.h"
#include "entrain/train/optimizer.h"

namespace entrain {

/// How a process's workers train: the parts that do not change from worker to worker.
struct Training {
  Objective objective;
  MakeOptimizer make_optimizer;
  LrSchedule lr_schedule;
  Strategy strategy;
  /// Told after each step's gradients: the step (from 1) and the seconds that each worker here
  /// took.
  std::function<void(std::int64_t step, const std::vector<double>& seconds)> computed = {};
};

/// The workers of this process, and the step that they take side by side on the threads of a team.
/// Results depend on the seed and never on which thread ran what.
class Workers {
 public:
  /// `comm`, `team` and what `training` points to must outlive this.
  Workers(const Training& training, Communicator& comm, Team& team);

  /// One step of every worker. Returns their losses [w], float64, before the step.
  at::Tensor step();

  Synchronizer& synchronizer() { return sync_; }
  const Rows& rows() const { return source_.rows; }
  double lr() const { return optimizer_->lr(); }
  double epoch() const { return source_.gradients->epochs(sync_.step()); }
  /// By the workers of all processes.
  std::int64_t samples_seen() const { return source_.gradients->samples(sync_.step()); }

 private:
  Training training_;
  Source source_;
  Synchronizer sync_;
  std::unique_ptr<Optimizer> optimizer_;
  double base_lr_;
  at::Tensor losses_;
  std::vector<double> seconds_;
};

}  // namespace entrain
