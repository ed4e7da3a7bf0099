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
    longest_ = std::max(longest_, started_ - landed_);
    limit_ = std::max(limit_, 10 * longest_);
  }
  /// How long a rank may take to show itself before it counts as silent: others may be computing.
  std::chrono::milliseconds patience() const {
    using std::chrono::milliseconds;
    return std::max(milliseconds(3000), std::chrono::duration_cast<milliseconds>(2 * longest_));
  }
  bool passed() const { return Clock::now() - started_ > limit_; }
  double seconds() const { return std::chrono::duration<double>(limit_).count(); }
  void landed() { landed_ = Clock::now(); }

 private:
  Clock::time_point started_ = Clock::now();
  Clock::time_point landed_ = Clock::now();
  Clock::duration longest_{};
  Clock::duration limit_ = std::chrono::seconds(60);
};

}  // namespace entrain
