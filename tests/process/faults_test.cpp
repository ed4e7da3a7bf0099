// Faults of networks and hosts, on pretend hosts: a run that cannot go on ends with a message that
// names who is missing, and one that can gives the undisturbed result.

#include <unistd.h>

#include <csignal>
#include <thread>

#include "process/netlab_hosts.h"

namespace entrain {
namespace {

const Words kTrain = {"train", "model.name=softmax", "train.batch=16", "threads.intra=1",
                      "comm.sums=reproducible"};

class Faults : public OnNetlab<ProcessTest, 3> {
 protected:
  static constexpr double kSoon = 15;

  // The command line of each rank has this, and of no other process.
  std::string token() const { return "name=" + folder().filename().string(); }

  // The words that start a run on all hosts.
  Words launch(const Words& settings) {
    return join(join({"launch", "--hosts", hosts_file(folder(), "h0\nh1\nh2\n"), "--ssh",
                      netlab_ssh(), "--"},
                     kTrain),
                join({token(), "--out", "out"}, settings));
  }

  // A run whose rounds have begun.
  Running under_way(const Words& settings) {
    Running running = start(launch(settings));
    EXPECT_TRUE(wait_until([this] { return has_landed(*this / "out"); })) << running.err();
    return running;
  }
  Running endless(const Words& settings) {
    return under_way(join({"train.steps=1000000000", "comm.patience=3 s"}, settings));
  }

  // What a run in this process alone gives.
  std::string undisturbed_hash(const Words& settings) {
    expect_exit(run(join(kTrain, join({"workers=3", "--out", "alone"}, settings))), 0);
    const std::string hash = hash_of_run(*this / "alone");
    EXPECT_EQ(hash.size(), 16u);
    return hash;
  }

  void expect_nobody_left() {
    EXPECT_TRUE(wait_until([this] { return processes_with(token()).empty(); }, kSoon));
  }

  // Cuts a host's link in mid-run: every rank ends, and says who is missing.
  void expect_loss_is_named(int host, const Words& settings, const Words& messages) {
    Running running = endless(settings);
    fault("unplug", host);
    const auto cut = Running::Clock::now();
    const Outcome outcome = running.wait();
    const std::chrono::duration<double> took = Running::Clock::now() - cut;
    EXPECT_LT(took.count(), kSoon) << outcome;
    expect_exit(outcome, 4, join({"ended first, with exit code 4", "its last lines:"}, messages));
    expect_nobody_left();
    expect_whole_files(*this / "out");
  }

  // A fault in mid-run that is over after some time.
  void expect_nothing_changes(const Words& more, const std::pair<const char*, const char*>& verbs,
                              int host, std::chrono::milliseconds time) {
    const Words settings = join({"train.steps=1500", "evaluation.every=1500"}, more);
    Running running = under_way(settings);
    fault(verbs.first, host);
    std::this_thread::sleep_for(time);
    EXPECT_FALSE(running.ended()) << "it was over before it was time to " << verbs.second;
    fault(verbs.second, host);
    expect_exit(running.wait(), 0);
    EXPECT_EQ(hash_of_run(*this / "out"), undisturbed_hash(settings));
  }
};

const char* const kStoreIsSilent = "no word from rank 0: the store at h0:";

TEST_F(Faults, ACutLinkIsNamed) {
  expect_loss_is_named(
      1, {"strategy.preset=synchronous"},
      {"rank 0 in exchange", "rank 2 in exchange", "no word from rank 1: no sign of life for 3 s",
       "rank 1 in exchange", kStoreIsSilent});
}

TEST_F(Faults, ACutLinkIsNamedWhileMessagesAreUnderWay) {
  expect_loss_is_named(2, {"strategy.preset=overlap_local_sgd(4)"},
                       {"no word from rank 2: no sign of life for 3 s", kStoreIsSilent});
}

TEST_F(Faults, ACutLinkOfTheHostWithTheStoreIsNamed) {
  expect_loss_is_named(0, {"strategy.preset=local_sgd(4)"},
                       {kStoreIsSilent, "has not answered for 3 s",
                        "no word from ranks 1, 2: no sign of life for 3 s"});
}

// By hand: rank 0 hosts the store itself.
TEST_F(Faults, ACutLinkOfRankZeroThatHostsTheStoreIsNamed) {
  std::vector<Running> ranks;
  for (const std::string host : {"0", "1", "2"}) {
    const Words own = {host, "--", std::getenv("ENTRAIN_BINARY")};
    ranks.push_back(
        start(join(netlab_words("exec", join(own, kTrain)),
                   {"train.steps=1000000000", "comm.patience=3 s", token(), "--out", "out"})));
  }
  ASSERT_TRUE(wait_until([this] { return has_landed(*this / "out"); })) << ranks[0].err();
  fault("unplug", 0);
  const std::vector<Outcome> outcomes = wait_all(ranks);
  expect_exit(outcomes[0], 4, {"rank 0 in exchange", "no word from ranks 1, 2: no sign of life"});
  for (int rank : {1, 2}) {
    expect_exit(outcomes[rank], 4,
                {"no word from rank 0: the store at 10.77.0.1:29500, on its host"});
  }
}

TEST_F(Faults, ALinkThatIsCutBeforeTheRanksMeetIsNamed) {
  fault("unplug", 1);
  const Outcome outcome = run(launch({"train.steps=20", "comm.join_timeout=3 s"}));
  EXPECT_LT(outcome.seconds, kSoon + 5);
  expect_exit(outcome, 4, {"rank 1 of 3 did not arrive at h0:", "rank 1 finds no store at h0:"});
  EXPECT_FALSE(std::filesystem::exists(*this / "out"));
  expect_nobody_left();
}

// Cut for a second and a half, in which nobody can go on.
TEST_F(Faults, ALinkThatIsPluggedInAgainChangesNothing) {
  expect_nothing_changes({"strategy.preset=synchronous"}, {"unplug", "plug"}, 1,
                         std::chrono::milliseconds(1500));
}

TEST_F(Faults, ASlowHostAndOneThatPausesAreWaitedFor) {
  expect_exit(netlab("cpu", {"1", "0.25"}), 0);
  expect_nothing_changes({"strategy.preset=local_sgd(4)", "comm.patience=8 s"}, {"pause", "resume"},
                         2, std::chrono::seconds(3));
}

// With the patience of a minute that a run has by default.
TEST_F(Faults, CtrlCEndsAWaitForAHostThatIsGone) {
  Running running = under_way({"train.steps=1000000000", "strategy.preset=synchronous"});
  fault("unplug", 1);
  running.send(SIGINT);
  const auto sent = Running::Clock::now();
  const Outcome outcome = running.wait();
  const std::chrono::duration<double> took = Running::Clock::now() - sent;
  EXPECT_LT(took.count(), kSoon) << outcome;
  expect_exit(outcome, 130, {"[0] entrain: interrupted at step"});
  expect_nobody_left();
}

TEST_F(Faults, AHostThatHangsIsNamed) {
  Running running = endless({});
  fault("pause", 2);
  const Outcome outcome = running.wait();
  EXPECT_LT(outcome.seconds, 2 * kSoon) << outcome;  // the launcher gives it 11 s to end
  expect_exit(outcome, 4,
              {"no word from rank 2: no sign of life for 3 s",
               "rank 2 on h2 does not end even by SIGKILL; it is left behind"});
  fault("resume", 2);
  expect_nobody_left();
}

// Ranks of this machine whose clocks are a minute off: the wall clock of rank 1, and that which
// counts from the machine's start of rank 2.
class Clocks : public ProcessTest {
 protected:
  void SetUp() override {
    ProcessTest::SetUp();
    if (program_path("faketime").empty()) FAIL() << "no faketime: install faketime";
    if (run(join(later_, {"/bin/true"})).code != 0) GTEST_SKIP() << "no time namespace can be made";
  }

  std::vector<Running> start_ranks(const Words& settings) {
    const int port = free_port();
    const Words clocks[] = {{}, ahead_, later_};
    std::vector<Running> ranks;
    for (int rank = 0; rank < 3; ++rank) {
      Variables variables = rank_variables(rank, 3, port);
      variables["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
      ranks.push_back(
          start(join(clocks[rank], join({std::getenv("ENTRAIN_BINARY")}, join(kTrain, settings))),
                variables));
    }
    return ranks;
  }

 private:
  Words ahead_ = {program_path("faketime"), "-f", "+60s"};
  Words later_ = {
      program_path("unshare"), "--time", "--monotonic", "60", "--boottime", "60", "--fork",
      "--kill-child",          "--"};
};

TEST_F(Clocks, AMinuteOffChangeNothing) {
  const Words settings = {"train.steps=100", "strategy.preset=local_sgd(4)"};
  std::vector<Running> ranks = start_ranks(join(settings, {"--out", "out"}));
  for (const Outcome& outcome : wait_all(ranks)) expect_exit(outcome, 0);
  expect_exit(run(join(kTrain, join(settings, {"workers=3", "--out", "alone"}))), 0);
  EXPECT_EQ(hash_of_run(*this / "out"), hash_of_run(*this / "alone"));
}

TEST_F(Clocks, AMinuteOffDoNotHideALoss) {
  std::vector<Running> ranks = start_ranks({"train.steps=1000000000", "--out", "out"});
  ASSERT_TRUE(wait_until([this] { return has_landed(*this / "out"); })) << ranks[0].err();
  ranks[1].send_group(SIGKILL);
  const auto killed = Running::Clock::now();
  const std::vector<Outcome> outcomes = wait_all(ranks);
  const std::chrono::duration<double> took = Running::Clock::now() - killed;
  EXPECT_LT(took.count(), 15);
  for (const int rank : {0, 2}) expect_exit(outcomes[rank], 4, {"no word from rank 1:"});
}

}  // namespace
}  // namespace entrain
