#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "entrain/core/text.h"

namespace entrain {

/// What an outer optimizer sees when a round lands. All tensors are [r, S]: r is 1 where the round
/// averages over everyone, else a row for each worker.
struct OuterStep {
  at::Tensor anchor;      ///< Moved in place.
  at::Tensor target;      ///< The mean of the parameters, if the round sent these; else undefined.
  at::Tensor mean_delta;  ///< The mean of anchor - x, if the round sent that; else undefined.
  at::Tensor velocity;  ///< Zero at first; kept by the round. Undefined if the optimizer has none.
  double lr = 0;        ///< The inner learning rate at this launch.
  double lr_ratio = 1;  ///< That over the one at the launch before.
};

/// How the anchor moves when a round lands.
struct Outer {
  Value text = call("mean");
  std::function<void(const OuterStep&)> move;
  bool has_velocity = false;
  bool keeps_anchor = false;  ///< Where the anchor was before matters.
};

/// In the formulas D is a - average.

/// a = the average.
Outer mean();

/// v = beta v + (average - a), a = a + v (heavy ball on the anchor). With `rescale` the velocity
/// first follows the inner learning rate, v = v lr_new / lr_old (Overlap-Local-SGD). Throws
/// UsageError unless 0 <= beta < 1.
Outer momentum(double beta, bool rescale = false);

/// u = beta u + D / lr, a = a - alpha lr u, with the inner learning rate of the launch (SlowMo,
/// Wang et al. 2020). Throws UsageError unless alpha > 0 and 0 <= beta < 1.
Outer slow_momentum(double alpha, double beta);

/// m = beta m + D, a = a - lr (D + beta m), as torch::optim::SGD has Nesterov's momentum (DiLoCo).
/// Throws UsageError unless lr > 0 and 0 <= beta < 1.
Outer nesterov(double lr, double beta);

/// m = momentum m + D, a = a - lr m. Throws UsageError unless lr > 0 and 0 <= momentum < 1.
Outer outer_sgd(double lr, double momentum = 0);

const std::vector<Choice<Outer>>& outer_choices();

}  // namespace entrain
