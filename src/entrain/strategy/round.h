#pragma once

#include "entrain/strategy/codec.h"
#include "entrain/strategy/delay.h"
#include "entrain/strategy/merge.h"
#include "entrain/strategy/outer.h"
#include "entrain/strategy/schedule.h"
#include "entrain/strategy/slice.h"
#include "entrain/strategy/topology.h"

namespace entrain {

/// What happens to the optimizer's buffers (momentum) when a round lands. `local`: each worker
/// keeps its own; `reset`: they are zero again; `average`: they are averaged as the parameters are,
/// in an exchange beside theirs.
struct StatePolicy {
  enum class Kind { local, reset, average };
  Value text = call("local");
  Kind kind = Kind::local;
};

/// Which quantity a parameter round sends: the parameters, or what they are short of the anchor (a
/// - x).
enum class What { parameters, deltas };

/// Averages gradients between backward and the optimizer's step.
struct GradientRound {
  Schedule when = every(1);
  Topology whom = {};
  Codec codec = {};
};

/// Averages parameters, or deltas from an anchor, after the optimizer's step. Launches a message m
/// = x or m = a - x, which is mixed, and lands: a <- outer(a, mixed), x <- merge(x, a).
struct ParameterRound {
  Schedule when = every(1);
  Topology whom = {};
  What what = What::parameters;
  Codec codec = {};
  Outer outer = mean();
  Merge merge = adopt();
  Delay delay = {};
  Slice slice = {};
  StatePolicy state = {};
};

/// A method: its rounds, listed from narrow to wide. A value; copy it, change it, print it.
struct Strategy {
  std::vector<GradientRound> gradients = {};
  std::vector<ParameterRound> parameters = {};
  std::string preset = {};  ///< The text it was named by, if any: `local_sgd(8)`.
};

/// The values of the axes that texts may name.
const std::vector<Choice<StatePolicy>>& state_choices();

}  // namespace entrain
