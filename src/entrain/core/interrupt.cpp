#include "entrain/core/interrupt.h"

#include <unistd.h>
#include <csignal>

#include <atomic>

namespace entrain {
namespace {

std::atomic<int> interrupts{0};
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler may touch it");

void on_interrupt(int) {
  if (++interrupts > 1) _exit(130);
}

}  // namespace

void watch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return interrupts > 0; }

}  // namespace entrain
