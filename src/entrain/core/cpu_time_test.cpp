#include "entrain/core/cpu_time.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace entrain {
namespace {

void burn(double seconds) {
  const double end = thread_cpu_seconds() + seconds;
  while (thread_cpu_seconds() < end) {
  }
}

TEST(CpuTime, CountsWhatAThreadUsedAndNotWhatItSlept) {
  const double begin = thread_cpu_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LT(thread_cpu_seconds() - begin, 0.02);
  const double awake = thread_cpu_seconds(), all = process_cpu_seconds();
  burn(0.02);
  EXPECT_GE(thread_cpu_seconds() - awake, 0.02);
  EXPECT_GE(process_cpu_seconds() - all, 0.02);
}

TEST(CpuTime, AThreadThatCameLaterIsKnownByItsClock) {
  const std::set<int> before = threads_now();
  EXPECT_TRUE(before.contains(gettid()));
  std::atomic<int> number{0};
  std::atomic<bool> ending{false};
  std::thread other([&] {
    burn(0.03);
    number = gettid();
    number.notify_all();
    ending.wait(false);
  });
  number.wait(0);
  std::set<int> came = threads_now();
  for (const int thread : before) came.erase(thread);
  EXPECT_EQ(came, std::set<int>{number});
  burn(0.01);  // here, which is none of its business
  const double used = cpu_seconds_of(came);
  EXPECT_GE(used, 0.03);
  EXPECT_LT(used, 0.04);
  ending = true;
  ending.notify_all();
  other.join();
  EXPECT_EQ(cpu_seconds_of(came), 0);
}

}  // namespace
}  // namespace entrain
