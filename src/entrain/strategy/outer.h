#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "entrain/core/text.h"

namespace entrain {

/// What an outer optimizer sees when a round lands. All tensors are [1, S].
struct OuterStep {
  at::Tensor anchor;      ///< Moved in place.
  at::Tensor target;      ///< The mean of the parameters, if the round sent these; else undefined.
  at::Tensor mean_delta;  ///< The mean of anchor - x, if the round sent that; else undefined.
  at::Tensor velocity;  ///< Zero at first; kept by the round. Undefined if the optimizer has none.
  double lr_ratio = 1;  ///< The inner learning rate at this launch over that at the launch before.
};

/// How the anchor moves when a round lands.
struct Outer {
  Value text = call("mean");
  std::function<void(const OuterStep&)> move;
  bool has_velocity = false;
};

/// a = the average.
Outer mean();

/// v = beta v + (average - a), a = a + v (heavy ball on the anchor). With `rescale` the velocity
/// first follows the inner learning rate, v = v lr_new / lr_old (Overlap-Local-SGD). Throws
/// UsageError unless 0 <= beta < 1.
Outer momentum(double beta, bool rescale = false);

const std::vector<Choice<Outer>>& outer_choices();

}  // namespace entrain
