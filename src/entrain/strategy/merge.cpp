#include "entrain/strategy/merge.h"

#include "entrain/core/errors.h"

namespace entrain {

Merge adopt() {
  return {call("adopt"),
          [](const at::Tensor& x, const at::Tensor& anchor, const at::Tensor&) { x.copy_(anchor); },
          false, true};
}

Merge pull(double alpha) {
  if (!(alpha >= 0 && alpha <= 1)) {
    throw UsageError(fmt::format("pull({}): alpha must be from 0 to 1", print_number(alpha)));
  }
  return {call("pull", {{"", number(alpha)}}),
          [alpha](const at::Tensor& x, const at::Tensor& anchor, const at::Tensor&) {
            x.lerp_(anchor.expand_as(x), alpha);
          },
          false, alpha == 1};
}

Merge rebase() {
  return {call("rebase"),
          [](const at::Tensor& x, const at::Tensor& anchor, const at::Tensor& launched) {
            x.sub_(launched).add_(anchor);
          },
          true, false};
}

const std::vector<Choice<Merge>>& merge_choices() {
  static const std::vector<Choice<Merge>> choices = {
      {"adopt", {}, "the worker becomes the anchor", [](const Arguments&) { return adopt(); }},
      {"pull",
       {{"alpha"}},
       "the worker moves to the anchor by a share of the way",
       [](const Arguments& a) { return pull(a.real("alpha")); }},
      {"rebase",
       {},
       "the worker's own progress since the launch, put on the anchor",
       [](const Arguments&) { return rebase(); }},
  };
  return choices;
}

}  // namespace entrain
