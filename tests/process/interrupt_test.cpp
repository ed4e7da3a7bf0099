// Ctrl-C: the run stops after its step with a summary, a second one stops it at once.

#include <csignal>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "process/command.h"

namespace entrain {
namespace {

using Json = nlohmann::json;

class Interrupt : public ProcessTest {
 protected:
  static inline const Words kEndless = {"model.name=softmax", "train.batch=16",
                                        "train.steps=1000000000", "--out", "out"};
  static constexpr double kSoon = 10;

  std::string token() const { return "name=" + folder().filename().string(); }

  Running in_mid_run(const Words& before) {
    Running running = start(join(join(before, {token()}), kEndless));
    EXPECT_TRUE(wait_until([this] { return has_landed(*this / "out"); })) << running.err();
    return running;
  }

  // Expects the end of a command that was interrupted just now.
  Outcome expect_stops(Running& running, double seconds = kSoon) {
    const auto now = Running::Clock::now();
    const Outcome outcome = running.wait();
    const std::chrono::duration<double> took = Running::Clock::now() - now;
    EXPECT_LT(took.count(), seconds) << outcome;
    expect_exit(outcome, 130);
    EXPECT_EQ(processes_with(token()).size(), 0u);
    expect_whole_files(folder());
    return outcome;
  }

  void expect_summary() {
    const Json summary = Json::parse(file_content(*this / "out/summary.json"));
    EXPECT_EQ(summary.at("interrupted"), true);
    EXPECT_TRUE(summary.at("parameters_hash").is_null());
    EXPECT_GE(summary.at("steps"), 8);
    EXPECT_LT(summary.at("steps"), 1000000000);
    std::istringstream lines(file_content(*this / "out/metrics.jsonl"));
    int rounds = 0;
    Json last;
    for (std::string line; std::getline(lines, line);) {
      last = Json::parse(line);
      rounds += last.at("kind") == "round";
    }
    EXPECT_GE(summary.at("rounds").at("everyone"), rounds);
    EXPECT_LE(summary.at("rounds").at("everyone"), rounds + 1);  // one may be under way
    EXPECT_EQ(last.at("event"), "interrupted");
    EXPECT_EQ(last.at("step"), summary.at("steps"));
    EXPECT_FALSE(std::filesystem::exists(*this / "out/model.safetensors"));
  }
};

TEST_F(Interrupt, TrainWritesItsSummary) {
  Running running = in_mid_run({"train", "workers=2"});
  running.send(SIGINT);
  const Outcome outcome = expect_stops(running);
  expect_exit(outcome, 130, {"interrupted at step", "of 1000000000", "out"});
  expect_summary();
}

TEST_F(Interrupt, LaunchPassesItOn) {
  Running running = in_mid_run({"launch", "-n", "3", "--", "train"});
  running.send(SIGINT);
  expect_exit(expect_stops(running), 130, {"[0] entrain: interrupted at step"});
  expect_summary();
}

TEST_F(Interrupt, LaunchOnATerminal) {
  Running running = in_mid_run({"launch", "-n", "3", "--", "train"});
  running.send_group(SIGINT);
  expect_exit(expect_stops(running), 130, {"[0] entrain: interrupted at step"});
  expect_summary();
}

TEST_F(Interrupt, RanksStartedByHand) {
  for (const char* sums : {"comm.sums=fast", "comm.sums=reproducible"}) {
    std::filesystem::remove_all(*this / "out");
    std::vector<Running> ranks =
        start_ranks({0, 1}, 2, free_port(), join(kEndless, {token(), sums}));
    ASSERT_TRUE(wait_until([this] { return has_landed(*this / "out"); })) << ranks[0].err();
    for (const Running& rank : ranks) rank.send(SIGINT);
    for (const Outcome& outcome : wait_all(ranks)) expect_exit(outcome, 130, {"interrupted at"});
    expect_summary();
  }
}

TEST_F(Interrupt, TwiceAtOnce) {
  Running running = in_mid_run({"train", "workers=2"});
  running.send(SIGINT);
  running.send(SIGINT);
  expect_stops(running);
}

TEST_F(Interrupt, TheSecondOneDoesNotWaitForTheStep) {
  // A step of half the data takes a second, and a line of metrics says that one has ended.
  Running running =
      start({"train", token(), "threads.intra=1", "train.batch=5000", "train.steps=1000",
             "evaluation.every=1000", "report.every=1", "--out", "out"});
  const auto steps = [this] { return file_content(*this / "out/metrics.jsonl"); };
  ASSERT_TRUE(wait_until([&] { return !steps().empty(); })) << running.err();
  running.send(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(running.ended()) << "the first one waits for the step";
  running.send(SIGINT);
  expect_stops(running, 2);
  EXPECT_FALSE(std::filesystem::exists(*this / "out/summary.json"));
}

TEST_F(Interrupt, TheSecondOneEndsALaunchAtOnce) {
  Running running =
      start({"launch", "-n", "2", "--", "train", token(), "train.batch=5000", "train.steps=1000",
             "strategy.preset=local_sgd(1)", "evaluation.every=1000", "--out", "out"});
  ASSERT_TRUE(wait_until([this] { return has_landed(*this / "out"); })) << running.err();
  running.send(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  running.send(SIGINT);
  EXPECT_EQ(running.wait().code, 130);
  EXPECT_TRUE(wait_until([this] { return processes_with(token()).empty(); }, 2));
  expect_whole_files(folder());
}

TEST_F(Interrupt, WhileWaitingForOthers) {
  // Rank 1 alone looks for the store; a Ctrl-C before that is as good as one meanwhile.
  for (const auto& [rank, milliseconds] : {std::pair{0, 1000}, {1, 1000}, {1, 0}}) {
    SCOPED_TRACE("rank " + std::to_string(rank) + " after " + std::to_string(milliseconds) + " ms");
    Running running =
        start(join({"train", token()}, kEndless), rank_variables(rank, 2, free_port()));
    ASSERT_TRUE(wait_until([&] { return running.catches_interrupts(); })) << running.err();
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    running.send(SIGINT);
    expect_stops(running);
    EXPECT_FALSE(std::filesystem::exists(*this / "out"));
  }
}

TEST_F(Interrupt, BeforeTheFirstStep) {
  Running running = start(join({"train", token()}, kEndless));
  ASSERT_TRUE(wait_until([&] { return running.catches_interrupts(); })) << running.err();
  running.send(SIGINT);
  expect_stops(running);
  EXPECT_EQ(Json::parse(file_content(*this / "out/summary.json")).at("interrupted"), true);
}

}  // namespace
}  // namespace entrain
