#pragma once

#include <utility>

#include "entrain/comm/communicator.h"

namespace entrain {

/// What all processes must have alike, as names and texts in one order.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// Compares the facts of all processes. Blocks. Throws CommunicationError that names the first fact
/// that differs, the two ranks and both texts.
void check_agreement(Communicator& comm, const Facts& facts);

}  // namespace entrain
