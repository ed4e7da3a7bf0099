#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "entrain/core/text.h"

namespace entrain {

/// How the workers meet the anchor when a round lands.
struct Merge {
  Value text = call("adopt");
  /// Changes `x` [w, S]. `anchor` [1, S] has moved already; `launched` [w, S] is what x was at the
  /// launch, given if `needs_launched`.
  std::function<void(const at::Tensor& x, const at::Tensor& anchor, const at::Tensor& launched)>
      meet;
  bool needs_launched = false;
  bool adopts = false;  ///< Afterwards all workers are equal.
};

/// x = a.
Merge adopt();

/// x = (1 - alpha) x + alpha a. Throws UsageError unless 0 <= alpha <= 1.
Merge pull(double alpha);

/// x = a + (x - what x was at the launch): keeps the worker's own progress (CoCoD).
Merge rebase();

const std::vector<Choice<Merge>>& merge_choices();

}  // namespace entrain
