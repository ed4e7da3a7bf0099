#include "entrain/comm/bounded_calls.h"

#include <fmt/format.h>

#include <vector>

#include "entrain/core/interrupt.h"

namespace entrain {
namespace {

constexpr auto kLastCall = std::chrono::seconds(2);

}  // namespace

BoundedCalls::~BoundedCalls() {
  if (!given_up_) return;
  static auto* const left_behind = new std::vector<std::unique_ptr<Queue>>;  // never destroyed
  left_behind->push_back(std::move(queue_));
}

void BoundedCalls::make(std::function<void()> call, std::chrono::milliseconds limit) {
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  std::future<void> over = begin(std::move(call));
  while (over.wait_for(std::chrono::milliseconds(50)) != std::future_status::ready) {
    const auto waited = Clock::now() - began;
    if (waited > limit || (interrupted() && waited > kLastCall)) give_up();
    if (given_up_) {
      throw NoAnswer(
          fmt::format("no answer for {:.0f} s", std::chrono::duration<double>(waited).count()));
    }
  }
  over.get();
}

std::future<void> BoundedCalls::begin(std::function<void()> call) {
  if (given_up_) throw NoAnswer("no answer");
  return queue_->push(std::move(call));
}

}  // namespace entrain
