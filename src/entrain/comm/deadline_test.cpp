#include "entrain/comm/deadline.h"

#include <gtest/gtest.h>

#include <thread>

namespace entrain {
namespace {

using std::chrono::milliseconds;

// The floor of a minute hides the factor of ten unless a step takes more than six seconds, which is
// too long for a test; what the floor allows is here.

TEST(Deadline, IsAMinuteAtLeast) {
  Deadline deadline;
  EXPECT_EQ(deadline.seconds(), 60);
  EXPECT_FALSE(deadline.passed());
  deadline.start();
  EXPECT_EQ(deadline.seconds(), 60);
  EXPECT_FALSE(deadline.passed());
}

TEST(Deadline, ShortComputationsDoNotShortenIt) {
  Deadline deadline;
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    deadline.start();
    deadline.landed();
    EXPECT_EQ(deadline.seconds(), 60);
  }
  EXPECT_FALSE(deadline.passed());
}

}  // namespace
}  // namespace entrain
