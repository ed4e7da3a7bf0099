#include "entrain/comm/queue.h"

#include <utility>

namespace entrain {

Queue::Queue(std::function<void()> idle, std::chrono::milliseconds between)
    : idle_(std::move(idle)), between_(between), thread_([this] { serve(); }) {}

Queue::~Queue() {
  {
    const std::lock_guard guard(lock_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

// Tasks that are over end here, not on the thread that did them: what one threw is then held, read
// and freed by callers alone. They hold nothing else.
std::future<void> Queue::push(std::function<void()> job) {
  std::packaged_task<void()> task([job = std::move(job)]() mutable { std::exchange(job, {})(); });
  std::future<void> future = task.get_future();
  std::vector<std::packaged_task<void()>> over;
  {
    const std::lock_guard guard(lock_);
    jobs_.push_back(std::move(task));
    over.swap(over_);
  }
  changed_.notify_one();
  return future;
}

void Queue::await_job(std::unique_lock<std::mutex>& guard) {
  const auto over = [this] { return ending_ || !jobs_.empty(); };
  if (!idle_) return changed_.wait(guard, over);
  while (!changed_.wait_for(guard, between_, over)) {
    guard.unlock();
    idle_();
    guard.lock();
  }
}

void Queue::serve() {
  for (;;) {
    std::unique_lock guard(lock_);
    await_job(guard);
    if (ending_) return;
    std::packaged_task<void()> task = std::move(jobs_.front());
    jobs_.pop_front();
    guard.unlock();
    task();
    guard.lock();
    over_.push_back(std::move(task));
  }
}

}  // namespace entrain
