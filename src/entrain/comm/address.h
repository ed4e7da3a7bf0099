#pragma once

#include <string>

#include "entrain/comm/place.h"

namespace entrain {

/// The address of this host at which peers can reach it: that of the interface GLOO_SOCKET_IFNAME
/// where it is set; else the one from which packets to the meeting place leave. Where a run of
/// several hosts meets at a name that this host knows as a loopback address, that of its first
/// other interface. Throws CommunicationError if there is none, or no way to that place.
std::string own_address_towards(const Place& place);

/// Throws CommunicationError, which speaks of `launch --address`, if this host does not know that
/// name.
void require_known_here(const std::string& address);

}  // namespace entrain
