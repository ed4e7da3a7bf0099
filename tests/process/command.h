#pragma once

// Runs the real binary, as a user does: with arguments, variables, a folder of its own and a
// deadline, so that nothing a test starts can hang or outlive it.

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <ostream>

#include "entrain/data/test_files.h"

namespace entrain {

using Words = std::vector<std::string>;
using Variables = std::map<std::string, std::string>;

/// How a command ended, and what it said.
struct Outcome {
  std::string command;
  int code = -1;   ///< The exit code; -1 if a signal ended it.
  int signal = 0;  ///< The signal that ended it; 0 if none did.
  std::string out, err;
  double seconds = 0;  ///< From its start to its end.
};

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome);

/// A command under way, in a process group of its own. Whoever drops it kills it.
class Running {
 public:
  using Clock = std::chrono::steady_clock;

  /// Starts the binary, or the program that the first word is the path of, in `folder`; its output
  /// goes to files in `logs`, named by `id`. The variables of a launcher and of entrain are taken
  /// out of this process's environment and `variables` added.
  Running(const Words& words, const Variables& variables, const std::filesystem::path& folder,
          const std::filesystem::path& logs, int id, double deadline);
  Running(Running&& other) noexcept;
  Running& operator=(Running&&) = delete;
  ~Running();

  pid_t pid() const { return pid_; }
  bool ended();
  bool catches_interrupts() const;    ///< Whether it is past the loading of its libraries.
  void send(int signal) const;        ///< To the process alone.
  void send_group(int signal) const;  ///< To its group, as a terminal does.

  /// What it said so far.
  std::string err() const;

  /// Waits for the end. One that outlives its deadline is killed, and that fails the test.
  Outcome wait();

 private:
  std::string command_;
  std::filesystem::path out_, err_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool reaped_ = false;
  double deadline_;
  Clock::time_point started_ = Clock::now(), ended_ = started_;
};

/// A test that runs commands in a fresh folder, which is also their working directory.
class ProcessTest : public testing::Test {
 protected:
  static constexpr double kDeadline = 90;

  void SetUp() override;

  Running start(const Words& words, const Variables& variables = {}, double deadline = kDeadline);
  Outcome run(const Words& words, const Variables& variables = {}, double deadline = kDeadline);

  /// Runs each of the commands, a few at a time, and gives how they ended in their order.
  std::vector<Outcome> run_all(const std::vector<Words>& commands);

  /// Starts `train` with `words` on the given ranks of `size`, as one would by hand: no launcher.
  std::vector<Running> start_ranks(const std::vector<int>& ranks, int size, int port,
                                   const Words& words);

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  const std::filesystem::path& folder() const { return folder_.path(); }

 private:
  TestFolder folder_, logs_;
  int started_ = 0;
};

/// Waits for all, in order.
std::vector<Outcome> wait_all(std::vector<Running>& running);

/// The variables by which rank finds the others, as torchrun sets them.
Variables rank_variables(int rank, int size, int port);

/// The path of a program that $PATH finds; empty if it is not installed.
std::string program_path(const std::string& name);

/// The parameters_hash in the summary of a run; empty if it has none.
std::string hash_of_run(const std::filesystem::path& folder);

/// A port of 127.0.0.1 that nobody listens at.
int free_port();

/// first + second.
Words join(Words first, const Words& second);

/// Polls until `condition` holds; whether it came to hold within `seconds`.
bool wait_until(const std::function<bool()>& condition, double seconds = 60);

/// Whether a run in `folder` is under way: a round has landed.
bool has_landed(const std::filesystem::path& folder);

/// Living processes of this session, as are all that the tests start, that have `text` in their
/// command line.
std::vector<pid_t> processes_with(const std::string& text);

/// The process of that rank of a launched run that has `text` in its command line; -1 if none.
pid_t process_of_rank(const std::string& text, int rank, const std::string& variable = "RANK");

/// Expects that exit code, and every part of the message on stderr.
void expect_exit(const Outcome& outcome, int code, const Words& parts = {});

/// Expects that every file below `folder` is whole: nothing temporary, JSON that parses.
void expect_whole_files(const std::filesystem::path& folder);

}  // namespace entrain
