#pragma once

#include <optional>

#include "entrain/comm/place.h"
#include "entrain/comm/simulated.h"
#include "entrain/config/resolve.h"

namespace entrain {

/// A network that is only pretended, and how long steps take on its clock.
struct SimulatedNetwork {
  Network network;
  ComputeTime compute;
  Straggler straggler;
};

/// What the settings of the table `network` say; none without a bandwidth: real time. Throws
/// UsageError with the origin of the setting that is wrong, or that needs a bandwidth beside it.
std::optional<SimulatedNetwork> simulated_network(const Resolved& resolved, const Place& place,
                                                  const RunFacts& facts);

}  // namespace entrain
