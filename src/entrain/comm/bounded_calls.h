#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>

#include "entrain/comm/queue.h"

namespace entrain {

/// A call was not over in time, and was given up.
struct NoAnswer : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Makes calls one after the other on a thread of its own, as some may never come back: c10d's
/// store waits for an answer over a link that was cut. A call that is given up is left behind with
/// that thread, and every other fails from then on. A call must own what it uses.
class BoundedCalls {
 public:
  BoundedCalls() : queue_(std::make_unique<Queue>()) {}
  ~BoundedCalls();

  /// Makes the call. Blocks until it is over and rethrows what it throws; NoAnswer if it is not
  /// over within `limit`, or, after Ctrl-C, within two seconds.
  void make(std::function<void()> call, std::chrono::milliseconds limit);

  /// Begins the call and returns at once; its future does not wait where it is destroyed.
  std::future<void> begin(std::function<void()> call);

  /// Gives up what is under way, from any thread.
  void give_up() { given_up_ = true; }

 private:
  std::unique_ptr<Queue> queue_;
  std::atomic<bool> given_up_{false};
};

}  // namespace entrain
