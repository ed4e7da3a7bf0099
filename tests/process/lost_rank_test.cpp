// A process that dies in mid-run: the others name it and end, and nothing is left behind.

#include <csignal>
#include <numeric>

#include "process/command.h"

namespace entrain {
namespace {

class LostRank : public ProcessTest {
 protected:
  static inline const Words kSteps = {"train.batch=16", "train.steps=1000000000",
                                      "threads.intra=1"};
  static inline const Words kEndless = join({"model.name=softmax"}, kSteps);
  static inline const Words kFast = join(kEndless, {"comm.sums=fast"});
  static inline const Words kReproducible = join(kEndless, {"comm.sums=reproducible"});
  static inline const Words kLossless =
      join(kSteps, {"model.name=cnn", "comm.compression=lossless"});
  static constexpr double kSoon = 15;

  // The command line of this holds no other process.
  std::string token() const { return "name=" + folder().filename().string(); }

  Running launch(int processes) {
    Running running = start(
        join({"launch", "-n", std::to_string(processes), "--", "train", token(), "--out", "out"},
             kEndless));
    EXPECT_TRUE(wait_until([this] { return has_landed(*this / "out"); })) << running.err();
    return running;
  }

  void expect_nobody_left() {
    EXPECT_TRUE(wait_until([this] { return processes_with(token()).empty(); }, kSoon));
  }

  // A run started by hand, of which a rank has been killed.
  struct Bereaved {
    int victim;
    std::filesystem::path out;
    std::vector<Running> ranks;
    Running::Clock::time_point killed;
  };

  Bereaved bereave(int victim, int size, const Words& settings) {
    const std::string name = "run" + std::to_string(++runs_);
    std::vector<int> all(size);
    std::iota(all.begin(), all.end(), 0);
    Bereaved run = {victim,
                    *this / name,
                    start_ranks(all, size, free_port(), join(settings, {"--out", name})),
                    {}};
    EXPECT_TRUE(wait_until([&] { return has_landed(run.out); })) << run.ranks[0].err();
    run.ranks[victim].send(SIGKILL);
    run.killed = Running::Clock::now();
    return run;
  }

  void expect_others_name_it(Bereaved& run) {
    SCOPED_TRACE(run.out);
    const std::vector<Outcome> outcomes = wait_all(run.ranks);
    const std::chrono::duration<double> took = Running::Clock::now() - run.killed;
    EXPECT_LT(took.count(), kSoon);
    const std::string victim = std::to_string(run.victim);
    for (std::size_t rank = 0; rank < outcomes.size(); ++rank) {
      if (static_cast<int>(rank) == run.victim) {
        EXPECT_EQ(outcomes[rank].signal, SIGKILL);
      } else {
        expect_exit(outcomes[rank], 4,
                    {"rank " + std::to_string(rank) + " in exchange",
                     (run.victim == 0 ? "with rank " : "no word from rank ") + victim});
      }
    }
    EXPECT_FALSE(std::filesystem::exists(run.out / "summary.json"));
    const std::string metrics = file_content(run.out / "metrics.jsonl");
    EXPECT_EQ(metrics.find("\"event\":\"failed: rank 0 in exchange") != std::string::npos,
              run.victim != 0);
  }

 private:
  int runs_ = 0;
};

TEST_F(LostRank, TheOthersNameIt) {
  Bereaved runs[] = {bereave(1, 4, kFast),  // rank 3 is no neighbour and learns of it by the store
                     bereave(2, 3, kReproducible), bereave(1, 3, kLossless)};
  for (Bereaved& run : runs) expect_others_name_it(run);
  expect_whole_files(folder());
}

TEST_F(LostRank, TheOthersNameTheOneThatHostsTheStore) {
  Bereaved runs[] = {bereave(0, 3, kFast), bereave(0, 2, kReproducible)};
  for (Bereaved& run : runs) expect_others_name_it(run);
  expect_whole_files(folder());
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
  Running running =
      start(join({"launch", "-n", "3", "--", "train", token(), "--out", "out"}, kEndless));
  ASSERT_TRUE(wait_until([this] { return process_of_rank(token(), 0) > 0; })) << running.err();
  running.send(SIGKILL);
  EXPECT_EQ(running.wait().signal, SIGKILL);
  expect_nobody_left();
}

}  // namespace
}  // namespace entrain
