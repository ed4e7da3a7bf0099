#pragma once

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace entrain {

/// How long to pause between two looks at something that others bring about: a sixteenth of the
/// time since it last moved, so that looking late costs little of what is waited for, and looking
/// often no core.
class Backoff {
 public:
  using Clock = std::chrono::steady_clock;

  void pause() {
    using std::chrono::microseconds;
    const auto still = Clock::now() - moved_;
    if (still < microseconds(100)) {
      sched_yield();
    } else {
      std::this_thread::sleep_for(std::min<Clock::duration>(still / 16, microseconds(1000)));
    }
  }
  void moved() { moved_ = Clock::now(); }

 private:
  Clock::time_point moved_ = Clock::now();
};

}  // namespace entrain
