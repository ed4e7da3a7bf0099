#include "entrain/core/team.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace entrain {
namespace {

TEST(Team, RunsEachIndexOnce) {
  for (int threads : {1, 2, 5}) {
    Team team(threads);
    for (int count : {0, 1, 3, 100}) {
      std::vector<std::atomic<int>> runs(count);
      team.each(count, [&](int i) { ++runs[i]; });
      for (int i = 0; i < count; ++i) EXPECT_EQ(runs[i], 1) << threads << " threads, index " << i;
    }
  }
}

TEST(Team, PreparesEveryThread) {
  std::mutex lock;
  std::set<std::thread::id> prepared;
  {
    Team team(3, [&] {
      const std::lock_guard guard(lock);
      prepared.insert(std::this_thread::get_id());
    });
    team.each(3, [](int) {});
  }
  EXPECT_EQ(prepared.size(), 3u);
}

TEST(Team, RethrowsAndGoesOn) {
  Team team(2);
  EXPECT_THROW(team.each(8,
                         [](int i) {
                           if (i == 5) throw std::runtime_error("five");
                         }),
               std::runtime_error);
  std::atomic<int> sum{0};
  team.each(8, [&](int i) { sum += i; });
  EXPECT_EQ(sum, 28);
}

}  // namespace
}  // namespace entrain
