#pragma once

#include "entrain/config/resolve.h"

namespace entrain {

/// What run() would do, as text: each setting and its origin, memory, bytes and rounds. Reads the
/// data, touches no network and makes no folder. Throws UsageError, DataError.
std::string dry_run(const Resolved& resolved);

}  // namespace entrain
