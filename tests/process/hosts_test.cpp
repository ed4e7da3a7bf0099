// launch --hosts: ranks behind a connection, what they are given, and that none of them is left.

#include <csignal>

#include "process/fake_ssh.h"

namespace entrain {
namespace {

class LaunchOnHosts : public ProcessTest {
 protected:
  static constexpr double kSoon = 15;

  // The command line of each rank has this, and of no other process.
  std::string token() const { return folder().filename(); }

  // Starts `script` in a shell as each rank.
  Words launch(const std::string& hosts, const std::string& script) {
    return join(launch_words(hosts), {"/bin/sh", "-c", script, token()});
  }
  Words launch_words(const std::string& hosts) {
    return {"launch",
            "--hosts",
            hosts_file(folder(), hosts),
            "--ssh",
            fake_ssh(folder()),
            "--address",
            "127.0.0.1",
            "--"};
  }

  // The launcher's command line has the token too: its folder.
  std::size_t processes_left() { return processes_with(token()).size(); }

  void expect_nobody_left() {
    EXPECT_TRUE(wait_until([this] { return processes_left() == 0; }, kSoon)) << processes_left();
  }

  bool ranks_begin(int ranks) {
    return wait_until([&] {
      for (int rank = 0; rank < ranks; ++rank)
        if (!std::filesystem::exists(*this / ("began" + std::to_string(rank)))) return false;
      return true;
    });
  }
};

const std::string kTwoHosts = "h1 slots=2\nh2\n";
const std::string kEndlessly = "touch began$RANK; while :; do sleep 0.1; done";

TEST_F(LaunchOnHosts, GivesVariablesFolderAndWords) {
  const std::string script =
      "echo $HOST $RANK $WORLD_SIZE $LOCAL_RANK $LOCAL_WORLD_SIZE $MASTER_ADDR $ENTRAIN_X $OWN "
      "$(pwd -P); printf '<%s>' \"$@\" >&2";
  const Words words = {"a b", "it's", "$HOME", "\"x\" \\ `y`", "", "new\nline", "*"};
  Words command = join(launch(kTwoHosts, script), words);
  command.insert(command.begin() + 1, {"--env", "OWN=a b", "--env", "OTHER"});
  const Outcome outcome = run(command, {{"ENTRAIN_X", "'x'"}, {"OTHER", "1"}});
  expect_exit(outcome, 0, {"[2] <a b><it's><$HOME><\"x\" \\ `y`><><new\n", "[2] line><*>\n"});
  const std::string end =
      " 127.0.0.1 'x' a b " + std::filesystem::canonical(folder()).string() + "\n";
  EXPECT_EQ(outcome.out.find("[0] "), std::string::npos) << outcome;
  for (const std::string line : {"h1 0 3 0 2", "[1] h1 1 3 1 2", "[2] h2 2 3 0 1"}) {
    EXPECT_NE(("\n" + outcome.out).find("\n" + line + end), std::string::npos) << line << outcome;
  }
}

TEST_F(LaunchOnHosts, OutputWithoutPrefix) {
  Words command = launch("h1\nh2\n", "printf \"rank $RANK\"; printf \"no end $RANK\" >&2");
  command.insert(command.begin() + 1, "--no-prefix");
  const Outcome outcome = run(command);
  expect_exit(outcome, 0);
  EXPECT_TRUE(outcome.out == "rank 0\nrank 1\n" || outcome.out == "rank 1\nrank 0\n") << outcome;
  EXPECT_TRUE(outcome.err == "no end 0\nno end 1\n" || outcome.err == "no end 1\nno end 0\n")
      << outcome;
}

TEST_F(LaunchOnHosts, NamesTheFirstFailureWithItsLastLines) {
  const struct {
    std::string end;
    int code;
    Words parts;
  } cases[] = {
      {"exit 3", 3, {"rank 2 on h2 ended first, with exit code 3; ending the others"}},
      {"kill -9 $$", 1, {"rank 2 on h2 ended first, with exit code 137, signal 9 (Killed)"}},
  };
  for (const auto& one : cases) {
    const std::string script =
        "[ $RANK = 2 ] && { echo so; echo why >&2; " + one.end + "; }; " + kEndlessly;
    const Outcome outcome = run(launch(kTwoHosts, script));
    EXPECT_LT(outcome.seconds, kSoon);
    expect_exit(outcome, one.code, one.parts);
    expect_exit(outcome, one.code, {"[2] why\n", "the cause was rank 2 on h2", "lines:\n  why\n"});
    EXPECT_EQ(outcome.err.find("rank 1"), std::string::npos)
        << "its end is a consequence" << outcome;
    expect_nobody_left();
  }
}

TEST_F(LaunchOnHosts, KillsRanksThatDoNotHeed) {
  const std::string script = "trap '' TERM; [ $RANK = 0 ] && exit 7; " + kEndlessly;
  const Outcome outcome = run(launch(kTwoHosts, script));
  EXPECT_GT(outcome.seconds, 4.5);
  EXPECT_LT(outcome.seconds, 5 + kSoon);
  expect_exit(outcome, 7, {"rank 0 on h1 ended first, with exit code 7"});
  expect_nobody_left();
}

TEST_F(LaunchOnHosts, NamesAHostThatCannotBeReached) {
  const Outcome outcome = run(launch("h1\ndead\n", kEndlessly));
  EXPECT_LT(outcome.seconds, kSoon);
  expect_exit(outcome, 4,
              {"[1] ssh: connect to host dead",
               "rank 1 on dead ended first, with exit "
               "code 255, of ssh: no connection"});
  expect_nobody_left();
}

TEST_F(LaunchOnHosts, NamesAnAddressThatAHostDoesNotKnow) {
  const Outcome outcome = run({"launch", "--hosts", hosts_file(folder(), "me@nowhere.invalid\n"),
                               "--ssh", fake_ssh(folder()), "--", "train"});
  EXPECT_LT(outcome.seconds, kSoon);
  expect_exit(outcome, 4, {"this host does not know nowhere.invalid", "launch --address"});
}

TEST_F(LaunchOnHosts, NamesAProgramThatIsNotThere) {
  const Outcome outcome = run(join(launch_words("h1\n"), {"./nothing", "x"}));
  expect_exit(outcome, 1, {"[0] entrain: cannot start ./nothing in ", "No such file"});
}

TEST_F(LaunchOnHosts, NobodyOutlivesTheLauncher) {
  Running running = start(launch(kTwoHosts, kEndlessly));
  ASSERT_TRUE(ranks_begin(3)) << running.err();
  EXPECT_GE(processes_left(), 4u);
  running.send(SIGKILL);
  EXPECT_EQ(running.wait().signal, SIGKILL);
  expect_nobody_left();
}

TEST_F(LaunchOnHosts, NobodyOutlivesTheConnection) {
  Running running = start(launch(kTwoHosts, kEndlessly));
  ASSERT_TRUE(ranks_begin(3)) << running.err();
  std::vector<pid_t> connections;
  for (const pid_t pid : processes_with("fake_ssh")) {
    if (pid != running.pid()) connections.push_back(pid);
  }
  ASSERT_EQ(connections.size(), 3u);
  kill(connections.back(), SIGKILL);
  const Outcome outcome = running.wait();
  EXPECT_LT(outcome.seconds, kSoon);
  expect_exit(outcome, 1, {"ended first, with signal 9 (Killed); ending the others"});
  expect_nobody_left();
}

TEST_F(LaunchOnHosts, TheRankThatDiedIsTheCauseAndNotThoseThatLostIt) {
  const Words train = {
      "train",           "model.name=softmax", "train.batch=16", "train.steps=1000000000",
      "threads.intra=1", "name=" + token(),    "--out",          "out"};
  for (const int victim : {0, 2}) {
    std::filesystem::remove_all(*this / "out");
    Running running = start(join(launch_words(kTwoHosts), train));
    ASSERT_TRUE(wait_until([this] { return has_landed(*this / "out"); })) << running.err();
    const pid_t rank = process_of_rank("name=" + token(), victim);
    ASSERT_GT(rank, 0);
    kill(rank, SIGKILL);
    const Outcome outcome = running.wait();
    expect_exit(outcome, 1, {"rank " + std::to_string(victim) + " on h", "with exit code 137"});
    expect_nobody_left();
    expect_whole_files(folder());
  }
}

TEST_F(LaunchOnHosts, PassesInterruptsOn) {
  Running running =
      start(launch(kTwoHosts, "trap 'echo stopped $RANK; exit 130' INT; " + kEndlessly));
  ASSERT_TRUE(ranks_begin(3)) << running.err();
  running.send_group(SIGINT);
  const Outcome outcome = running.wait();
  expect_exit(outcome, 130);
  for (const char* rank : {"0", "1", "2"}) {
    EXPECT_NE(outcome.out.find(std::string("stopped ") + rank), std::string::npos) << outcome;
  }
  EXPECT_EQ(outcome.err.find("ended first"), std::string::npos) << outcome;
  expect_nobody_left();
}

TEST_F(LaunchOnHosts, WhatCannotBeMeant) {
  const std::string good = hosts_file(folder(), "h1\n");
  const struct {
    Words words;
    Words parts;
  } cases[] = {
      {{"--hosts", good, "-n", "-1"}, {"launch -n -1: at least 1 process"}},
      {{"-n", "-1"}, {"launch -n -1: at least 1 process"}},
      {{"--hosts", "none"}, {"--hosts none: there is no such file"}},
      {{"--hosts", good, "-n", "2"}, {"launch -n 2: the hosts have 1 slots"}},
      {{"-n", "2", "--ssh", "x"}, {"--ssh requires --hosts"}},
      {{"-n", "2", "--port", "70000"}, {"--port", "70000"}},
      {{"-n", "2", "--env", "NOT_SET"}, {"--env NOT_SET: must be NAME=VALUE"}},
  };
  for (const auto& one : cases) {
    expect_exit(run(join(join({"launch"}, one.words), {"--", "train", "--out", "out"})), 2,
                one.parts);
  }
  const std::string mixed = hosts_file(folder(), "localhost\nh2 slots=2\n");
  expect_exit(run({"launch", "--hosts", mixed, "--", "train"}), 2,
              {"localhost is the first of several hosts", "--address"});
}

TEST_F(LaunchOnHosts, AGuardWithoutALauncherEnds) {
  expect_exit(run({"guard"}), 4, {"no order came", "launch --hosts"});
}

}  // namespace
}  // namespace entrain
