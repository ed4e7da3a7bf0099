#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace entrain {

/// Threads that stay, for work that comes in many small portions. The calling thread is one of
/// them. Not for nested use; one caller at a time.
class Team {
 public:
  /// `prepare` runs once in each thread, the caller's included. REQUIRES: threads >= 1.
  explicit Team(int threads, std::function<void()> prepare = {});
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  int threads() const { return static_cast<int>(threads_.size()) + 1; }

  /// Runs body(0) ... body(count - 1), each once, and returns when all are done. Which thread runs
  /// which is left open, so a body must not depend on it. Rethrows the first exception of a body.
  void each(int count, const std::function<void(int)>& body);

 private:
  void serve();
  void drain();

  std::vector<std::thread> threads_;
  const std::function<void(int)>* body_ = nullptr;
  int count_ = 0;
  bool ending_ = false;
  std::atomic<int> next_{0};
  std::atomic<int> busy_{0};
  std::atomic<unsigned> portion_{0};
  std::mutex failure_lock_;
  std::exception_ptr failure_;
};

}  // namespace entrain
