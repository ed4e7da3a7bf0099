#include "entrain/comm/reservations.h"

#include <gtest/gtest.h>

#include <set>

#include "entrain/core/seeds.h"

namespace entrain {
namespace {

TEST(Reservations, GapsAreFilledPieceByPiece) {
  Reservations medium;
  EXPECT_EQ(medium.take(1, 2), 3);  // 1-3
  EXPECT_EQ(medium.take(2, 1), 4);  // behind it: 3-4
  EXPECT_EQ(medium.take(10, 5), 15);
  EXPECT_EQ(medium.take(5, 2), 7);    // in between: 5-7
  EXPECT_EQ(medium.take(0, 3), 8);    // 0-1, 4-5 and 7-8
  EXPECT_EQ(medium.take(0, 2), 10);   // 8-10
  EXPECT_EQ(medium.take(0, 1), 16);   // full up to 15
  EXPECT_EQ(medium.take(20, 0), 20);  // nothing to take
}

// Beside a table that knows of each second whether it is taken.
TEST(Reservations, AreThoseOfATableOfSeconds) {
  Stream random(3, Purpose::link);
  Reservations medium;
  std::set<std::int64_t> taken;
  for (int call = 0; call < 5000; ++call) {
    const int earliest = call;
    const auto ready = static_cast<std::int64_t>(earliest + random.below(200));
    const auto seconds = static_cast<std::int64_t>(1 + random.below(3));
    std::int64_t end = ready;
    for (std::int64_t left = seconds; left > 0; ++end) left -= taken.insert(end).second ? 1 : 0;
    medium.forget_before(earliest);
    ASSERT_EQ(medium.take(static_cast<double>(ready), static_cast<double>(seconds)), end)
        << "call " << call;
  }
}

}  // namespace
}  // namespace entrain
