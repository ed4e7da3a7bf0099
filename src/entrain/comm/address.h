#pragma once

#include <string>

#include "entrain/comm/place.h"

namespace entrain {

/// The address of this host from which packets to the meeting place leave: the one that peers can
/// reach. Throws CommunicationError if there is no way to that place.
std::string own_address_towards(const Place& place);

}  // namespace entrain
