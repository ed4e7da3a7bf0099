#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace entrain {

/// A thread that does jobs in the order in which they came, so that an exchange of several steps
/// goes on while the caller computes. The destructor drops the jobs that have not begun and waits
/// for the one that has.
class Queue {
 public:
  /// `idle` is called on the thread where no job came for the time `between`, again and again. It
  /// must not throw.
  explicit Queue(std::function<void()> idle = {},
                 std::chrono::milliseconds between = std::chrono::milliseconds(200));
  ~Queue();

  /// The future rethrows what the job throws. What the job holds is gone when it is over.
  std::future<void> push(std::function<void()> job);

 private:
  void serve();
  void await_job(std::unique_lock<std::mutex>& guard);

  std::function<void()> idle_;
  std::chrono::milliseconds between_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> jobs_;
  std::vector<std::packaged_task<void()>> over_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace entrain
