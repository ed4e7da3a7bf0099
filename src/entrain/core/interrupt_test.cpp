#include "entrain/core/interrupt.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace entrain {
namespace {

// The flag stays up for the rest of a process, so each of these runs in one of its own.

TEST(InterruptDeathTest, TheFirstOnlySetsTheFlag) {
  const auto first_only = [](int signal) {
    if (interrupted()) _exit(1);
    watch_interrupts();
    if (interrupted()) _exit(2);
    raise(signal);
    _exit(interrupted() ? 0 : 3);
  };
  EXPECT_EXIT(first_only(SIGINT), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(first_only(SIGTERM), testing::ExitedWithCode(0), "");
  EXPECT_FALSE(interrupted());
}

TEST(InterruptDeathTest, TheSecondEndsTheProcess) {
  const auto two = [] {
    watch_interrupts();
    raise(SIGINT);
    raise(SIGINT);
    _exit(0);
  };
  EXPECT_EXIT(two(), testing::ExitedWithCode(130), "");
}

TEST(InterruptDeathTest, UnwatchedItEndsTheProcessAsEver) {
  EXPECT_EXIT(raise(SIGINT), testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace entrain
