#include "entrain/strategy/outer.h"

#include <ATen/ATen.h>

#include "entrain/core/errors.h"

namespace entrain {

Outer mean() {
  return {call("mean"), [](const OuterStep& step) {
            if (step.target.defined()) {
              step.anchor.copy_(step.target);
            } else {
              step.anchor.sub_(step.mean_delta);
            }
          }};
}

Outer momentum(double beta, bool rescale) {
  if (!(beta >= 0 && beta < 1)) {
    throw UsageError(
        fmt::format("momentum(beta={}): beta must be from 0 to below 1", print_number(beta)));
  }
  return {call("momentum", {{"beta", number(beta)}, {"rescale", call(rescale ? "true" : "false")}}),
          [beta, rescale](const OuterStep& step) {
            step.velocity.mul_(rescale ? beta * step.lr_ratio : beta);
            if (step.target.defined()) {
              step.velocity.add_(step.target).sub_(step.anchor);
            } else {
              step.velocity.sub_(step.mean_delta);
            }
            step.anchor.add_(step.velocity);
          },
          true};
}

const std::vector<Choice<Outer>>& outer_choices() {
  static const std::vector<Choice<Outer>> choices = {
      {"mean", {}, "the anchor becomes the average", [](const Arguments&) { return mean(); }},
      {"momentum",
       {{"beta"}, {"rescale", "false"}},
       "heavy ball on the anchor",
       [](const Arguments& a) { return momentum(a.real("beta"), a.boolean("rescale")); }},
  };
  return choices;
}

}  // namespace entrain
