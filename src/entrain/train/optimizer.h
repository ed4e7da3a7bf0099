#pragma once

#include <memory>

#include "entrain/core/team.h"
#include "entrain/core/text.h"
#include "entrain/strategy/synchronizer.h"

namespace entrain {

/// An optimizer on all rows of a process: each worker steps with its own gradient and its own
/// buffers.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One step of every worker, in one pass over memory; leaves the gradients zero. Throws what
  /// Rows::verify throws.
  virtual void step() = 0;

  /// Its buffers [w, S] each, and how to make it as it was before the first step.
  virtual OptimizerState state() = 0;

  double lr() const { return lr_; }
  void set_lr(double lr) { lr_ = lr; }

 protected:
  explicit Optimizer(double lr) : lr_(lr) {}

 private:
  double lr_;
};

/// SGD as torch::optim::SGD has it, per item:
///   d = g + weight_decay x;  buffer = d at the first step, then momentum buffer + (1 - dampening)
///   d; d = d + momentum buffer if nesterov, else buffer (with momentum);  x = x - lr d.
struct SgdOptions {
  double lr = 0.1;
  double momentum = 0;
  double dampening = 0;
  double weight_decay = 0;
  bool nesterov = false;
};

/// Throws UsageError for a negative or infinite option, and for nesterov without momentum or with
/// dampening. `rows` and `team` must outlive the optimizer.
std::unique_ptr<Optimizer> sgd(Rows& rows, Team& team, const SgdOptions& options);

/// An optimizer that waits for its rows.
using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(Rows&, Team&)>;

/// The optimizers that texts may name: `sgd(lr=0.1, momentum=0.9, nesterov=true,
/// weight_decay=1e-4)`.
const std::vector<Choice<MakeOptimizer>>& optimizer_choices();
MakeOptimizer build_optimizer(const Value& value, const RunFacts& facts = {});

}  // namespace entrain
