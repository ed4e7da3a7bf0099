#pragma once

#include <string>

#include "entrain/comm/place.h"
#include "entrain/train/threads.h"

namespace entrain {

/// What the bits of a result depend on besides the seed, as JSON (env.json): versions, host,
/// processor, threads, BLAS.
std::string describe_machine(const Place& place, const ThreadPlan& threads);

/// The name of the processor, as the system gives it.
std::string processor();

}  // namespace entrain
