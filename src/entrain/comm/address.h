#pragma once

#include <string>

#include "entrain/comm/place.h"

namespace entrain {

/// By which `launch --interface` tells the ranks: that of the setting comm.interface.
inline constexpr const char* kInterfaceVariable = "ENTRAIN_COMM__INTERFACE";

/// The address of this host at which peers can reach it: that of `interface`, a name or an address
/// of this host, where it is not empty; else of the interface GLOO_SOCKET_IFNAME where that is set;
/// else the one from which packets to the meeting place leave. Where a run of several hosts meets
/// at a name that this host knows as a loopback address, that of its first other interface. Throws
/// UsageError that lists the interfaces there are if it is none of them, CommunicationError if
/// there is no way to that place.
std::string own_address_towards(const Place& place, const std::string& interface);

/// The name of the interface of this host that has that address; empty: none that is up.
std::string interface_with(const std::string& address);

/// Throws CommunicationError, which speaks of `launch --address`, if this host does not know that
/// name.
void require_known_here(const std::string& address);

}  // namespace entrain
