#pragma once

#include <algorithm>
#include <chrono>

namespace entrain {

/// How long to wait for a peer, learned from the run: ten times the longest time that this process
/// itself computed between two exchanges, and at least a minute. So no timeout has to be tuned.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  void start() {
    started_ = Clock::now();
    limit_ = std::max(limit_, 10 * (started_ - landed_));
  }
  bool passed() const { return Clock::now() - started_ > limit_; }
  double seconds() const { return std::chrono::duration<double>(limit_).count(); }
  void landed() { landed_ = Clock::now(); }

 private:
  Clock::time_point started_ = Clock::now();
  Clock::time_point landed_ = Clock::now();
  Clock::duration limit_ = std::chrono::seconds(60);
};

}  // namespace entrain
