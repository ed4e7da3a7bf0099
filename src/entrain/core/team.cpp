#include "entrain/core/team.h"

#include "entrain/core/errors.h"

namespace entrain {

Team::Team(int threads, std::function<void()> prepare) {
  ENTRAIN_CHECK(threads >= 1);
  if (prepare) prepare();
  for (int i = 1; i < threads; ++i) {
    threads_.emplace_back([this, prepare] {
      if (prepare) prepare();
      serve();
    });
  }
}

Team::~Team() {
  ending_ = true;
  ++portion_;
  portion_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Team::each(int count, const std::function<void(int)>& body) {
  body_ = &body;
  count_ = count;
  next_ = 0;
  busy_ = static_cast<int>(threads_.size());
  ++portion_;
  portion_.notify_all();
  drain();
  for (int busy = busy_; busy != 0; busy = busy_) busy_.wait(busy);
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Team::serve() {
  for (unsigned seen = 0;;) {
    portion_.wait(seen);
    ++seen;
    if (ending_) return;
    drain();
    if (--busy_ == 0) busy_.notify_one();
  }
}

void Team::drain() {
  for (int i = next_++; i < count_; i = next_++) {
    try {
      (*body_)(i);
    } catch (...) {
      const std::lock_guard lock(failure_lock_);
      if (!failure_) failure_ = std::current_exception();
    }
  }
}

}  // namespace entrain
