#pragma once

#include "entrain/comm/agreement.h"
#include "entrain/config/settings.h"
#include "entrain/train/prepare.h"

namespace entrain {

/// What the ranks of a run must have alike: the version, the data to the byte, and the settings but
/// those that may differ from host to host (paths, threads, the network interface). What the
/// strategy needs alike is compared by the synchronizer.
Facts run_facts(const Settings& settings, const Prepared& prepared);

}  // namespace entrain
