#pragma once

#include "entrain/comm/agreement.h"
#include "entrain/strategy/round.h"
#include "entrain/strategy/rows.h"
#include "entrain/strategy/topology.h"

namespace entrain {

/// What all processes must have alike before the first round: ranks that differ here would wait for
/// each other forever, or mix numbers that do not belong together. `mixings`: of all rounds. Throws
/// UsageError where the rows of this process start from different parameters.
Facts facts_of(const Strategy& strategy, const Rows& rows, const std::vector<Mixings>& mixings);

}  // namespace entrain
