#pragma once

#include <set>

namespace entrain {

/// CPU seconds that the calling thread has used. About 0.2 us a call.
double thread_cpu_seconds();

/// CPU seconds that all threads of this process have used, those that have ended included.
double process_cpu_seconds();

/// The threads of this process, by their numbers in the kernel; empty where /proc does not tell.
std::set<int> threads_now();

/// CPU seconds that those of `threads` have used that have not ended.
double cpu_seconds_of(const std::set<int>& threads);

}  // namespace entrain
