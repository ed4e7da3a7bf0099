// A process that dies in mid-run: the others name it and end, and nothing is left behind.

#include <csignal>
#include <numeric>

#include "process/command.h"

namespace entrain {
namespace {

const Words kEndless = {"model.name=softmax", "train.batch=16", "train.steps=1000000000",
                        "threads.intra=1",    "--out",          "out"};
constexpr double kSoon = 15;

class LostRank : public ProcessTest {
 protected:
  // The command line of this holds no other process.
  std::string token() const { return "name=" + folder().filename().string(); }

  Running launch(int processes) {
    Running running =
        start(join({"launch", "-n", std::to_string(processes), "--", "train", token()}, kEndless));
    EXPECT_TRUE(wait_until([this] { return has_landed(*this / "out"); })) << running.err();
    return running;
  }

  void expect_nobody_left() {
    EXPECT_TRUE(wait_until([this] { return processes_with(token()).empty(); }, kSoon));
  }

  void expect_others_name(int victim, int size, const std::string& sums) {
    SCOPED_TRACE("rank " + std::to_string(victim) + " killed, sums " + sums);
    std::filesystem::remove_all(*this / "out");
    std::vector<int> all(size);
    std::iota(all.begin(), all.end(), 0);
    std::vector<Running> ranks =
        start_ranks(all, size, free_port(), join(kEndless, {token(), "comm.sums=" + sums}));
    ASSERT_TRUE(wait_until([this] { return has_landed(*this / "out"); })) << ranks[0].err();
    ranks[victim].send(SIGKILL);
    const auto killed = Running::Clock::now();
    const std::vector<Outcome> outcomes = wait_all(ranks);
    const std::chrono::duration<double> took = Running::Clock::now() - killed;
    EXPECT_LT(took.count(), kSoon);
    EXPECT_EQ(outcomes[victim].signal, SIGKILL);
    for (const int rank : all) {
      if (rank == victim) continue;
      expect_exit(outcomes[rank], 4,
                  {"rank " + std::to_string(rank) + " in exchange",
                   (victim == 0 ? "with rank " : "no word from rank ") + std::to_string(victim)});
    }
    EXPECT_FALSE(std::filesystem::exists(*this / "out/summary.json"));
    const std::string metrics = file_content(*this / "out/metrics.jsonl");
    EXPECT_EQ(metrics.find("\"event\":\"failed: rank 0 in exchange") != std::string::npos,
              victim != 0);
    expect_whole_files(folder());
  }
};

TEST_F(LostRank, ByHandTheOthersNameItWithFastSums) {
  expect_others_name(0, 3, "fast");
  expect_others_name(1, 4, "fast");  // rank 3, no neighbour of it, learns of it through the store
}

TEST_F(LostRank, ByHandTheOthersNameItWithReproducibleSums) {
  expect_others_name(0, 2, "reproducible");
  expect_others_name(2, 3, "reproducible");
}

TEST_F(LostRank, TheLauncherNamesItAndEndsTheOthers) {
  for (const int victim : {0, 2}) {
    std::filesystem::remove_all(*this / "out");
    Running running = launch(3);
    const pid_t rank = process_of_rank(token(), victim);
    ASSERT_GT(rank, 0);
    kill(rank, SIGKILL);
    const auto killed = Running::Clock::now();
    const Outcome outcome = running.wait();
    const std::chrono::duration<double> took = Running::Clock::now() - killed;
    EXPECT_LT(took.count(), kSoon);
    expect_exit(outcome, 1,
                {"rank " + std::to_string(victim) + " ended first, with signal 9 (Killed)"});
    EXPECT_EQ(processes_with(token()).size(), 0u);
    expect_whole_files(folder());
  }
}

TEST_F(LostRank, NobodyOutlivesTheLauncher) {
  Running running = launch(3);
  EXPECT_EQ(processes_with(token()).size(), 4u);
  running.send(SIGKILL);
  EXPECT_EQ(running.wait().signal, SIGKILL);
  expect_nobody_left();
  expect_whole_files(folder());
}

TEST_F(LostRank, NobodyOutlivesALauncherThatDiesAtOnce) {
  Running running = start(join({"launch", "-n", "3", "--", "train", token()}, kEndless));
  ASSERT_TRUE(wait_until([this] { return process_of_rank(token(), 0) > 0; }));
  running.send(SIGKILL);
  EXPECT_EQ(running.wait().signal, SIGKILL);
  expect_nobody_left();
}

}  // namespace
}  // namespace entrain
