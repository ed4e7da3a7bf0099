#pragma once

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
  Queue();
  ~Queue();

  /// The future rethrows what the job throws. What the job holds is gone when it is over.
  std::future<void> push(std::function<void()> job);

 private:
  void serve();

  std::mutex lock_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> jobs_;
  std::vector<std::packaged_task<void()>> over_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace entrain
