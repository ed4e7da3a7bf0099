#include "entrain/comm/queue.h"

namespace entrain {

Queue::Queue() : thread_([this] { serve(); }) {}

Queue::~Queue() {
  {
    const std::lock_guard guard(lock_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::future<void> Queue::push(std::function<void()> job) {
  std::packaged_task<void()> task(std::move(job));
  std::future<void> over = task.get_future();
  {
    const std::lock_guard guard(lock_);
    jobs_.push_back(std::move(task));
  }
  changed_.notify_one();
  return over;
}

void Queue::serve() {
  for (;;) {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return ending_ || !jobs_.empty(); });
    if (ending_) return;
    std::packaged_task<void()> task = std::move(jobs_.front());
    jobs_.pop_front();
    guard.unlock();
    task();
  }
}

}  // namespace entrain
