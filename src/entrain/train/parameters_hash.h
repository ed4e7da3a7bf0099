#pragma once

#include "entrain/comm/communicator.h"
#include "entrain/strategy/rows.h"

namespace entrain {

/// The fingerprint of all workers' parameters, in hexadecimal: XXH3-64 of the rows' hashes in the
/// order of workers; a row's hash is XXH3-64 over the bytes of its tensors, by name; padding is
/// left out. Collective.
std::string parameters_hash(const Rows& rows, Communicator& comm);

}  // namespace entrain
