#include "entrain/core/cpu_time.h"

#include <charconv>
#include <ctime>
#include <filesystem>
#include <string>

namespace entrain {
namespace {

double seconds_on(clockid_t clock) {
  timespec time = {};
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// As the kernel numbers the CPU clock of a thread; pthread_getcpuclockid() asks for a pthread_t,
// which the threads of other libraries do not tell.
clockid_t cpu_clock_of(int thread) { return static_cast<clockid_t>(~thread * 8 + 6); }

}  // namespace

double thread_cpu_seconds() { return seconds_on(CLOCK_THREAD_CPUTIME_ID); }
double process_cpu_seconds() { return seconds_on(CLOCK_PROCESS_CPUTIME_ID); }

std::set<int> threads_now() {
  std::set<int> threads;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", none)) {
    const std::string name = entry.path().filename();
    int thread = 0;
    std::from_chars(name.data(), name.data() + name.size(), thread);
    threads.insert(thread);
  }
  return threads;
}

double cpu_seconds_of(const std::set<int>& threads) {
  double seconds = 0;
  for (const int thread : threads) seconds += seconds_on(cpu_clock_of(thread));
  return seconds;
}

}  // namespace entrain
