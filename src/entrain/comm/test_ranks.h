#pragma once

// For tests only: a test that runs in several processes.

#include <ATen/ATen.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <thread>

#include "entrain/comm/local.h"
#include "entrain/comm/mpi.h"
#include "entrain/comm/store.h"
#include "entrain/comm/transport.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"
#include "entrain/core/files.h"
#include "entrain/core/test_folder.h"

namespace entrain {

/// The processes of a test, and what carries their messages. No processes: all workers in this one.
struct World {
  World(int processes, Via transport = Via::gloo, bool ends_by_abort = false)
      : size(processes), via(transport), aborts(ends_by_abort) {}
  int size;
  Via via;
  bool aborts;  // the ranks pass, and then MPI ends them, as one of them gave up
};

/// "local", "4" or "mpi_4".
inline std::string world_name(const testing::TestParamInfo<World>& info) {
  const std::string size = std::to_string(info.param.size);
  return info.param.size == 0 ? "local" : info.param.via == Via::mpi ? "mpi_" + size : size;
}

/// One rank of a test that runs in several processes.
class RankPlay {
 public:
  RankPlay(std::string folder, Via via)
      : folder_(std::move(folder)), via_(via), place_(place_for(via, environment())) {}
  RankPlay() = default;  // all workers in this process

  int rank() const { return place_.rank; }
  int size() const { return place_.size; }
  Place place() const { return place_; }

  // Joins the others, who join in the same order; each time they meet under keys of their own. In
  // one process, three times the workers.
  std::unique_ptr<Communicator> join(Sums sums, int local_workers = 1,
                                     Links links = Links::measured,
                                     std::chrono::milliseconds patience = Store::kPatience) {
    if (folder_.empty()) return local_communicator(3 * local_workers);
    place_.attempt = std::to_string(++joined_);
    TransportOptions options;
    options.via = via_;
    options.sums = sums;
    options.links = links;
    options.lossless = true;  // for those who ask
    options.local_workers = local_workers;
    options.join_timeout = std::chrono::seconds(20);
    options.patience = patience;
    return join_processes(place_, options);
  }

  // A way to wait for another rank past the code under test.
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void signal(const std::string& name) const { write_whole(path(name), ""); }
  void await(const std::string& name) const {
    while (!std::filesystem::exists(path(name)))
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }

 private:
  std::string folder_;
  Via via_ = Via::gloo;
  Place place_;
  int joined_ = 0;
};

inline bool has_mpirun() { return std::system("mpirun --version >/dev/null 2>&1") == 0; }

enum class StoreAt { test, rank_0 };

/// The processes of a test: this binary again, each a fresh process, as the threads of torch do not
/// survive a fork.
class RankProcesses {
 public:
  RankProcesses(World world, StoreAt where, const std::string& folder)
      : folder_(folder), size_(world.size), aborts_(world.aborts) {
    if (world.via == Via::mpi) {
      start_mpirun();
      return;
    }
    if (where == StoreAt::test) store_.emplace(Store::host(0));
    const std::uint16_t port = store_ ? store_->port() : free_port();
    for (int rank = 0; rank < size_; ++rank) start_rank(rank, port, where);
  }

  // Every rank must have played, and ended with 0, in good time.
  void expect_success(std::chrono::seconds time) {
    const auto deadline = std::chrono::steady_clock::now() + time;
    while (running() > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    int played = 0;
    for (std::size_t rank = 0; rank < children_.size(); ++rank) {
      Child& child = children_[rank];
      if (child.running) {
        kill(child.pid, SIGKILL);
        waitpid(child.pid, &child.status, 0);
      }
      const std::string log = read_whole(log_of(static_cast<int>(rank)));
      EXPECT_FALSE(child.running) << "rank " << rank << " hangs:\n" << log;
      EXPECT_TRUE(child.running || (child.status == 0) != aborts_)
          << "rank " << rank << " ended with status " << child.status << ":\n"
          << log;
      const int here = count_in(log, "the rank plays");
      EXPECT_GT(here, 0) << "rank " << rank << " did not:\n" << log;
      played += here;
      if (aborts_) {
        EXPECT_EQ(count_in(log, "[  PASSED  ] 1 test."), here) << log;
      }
    }
    EXPECT_EQ(played, size_);
  }

 private:
  struct Child {
    pid_t pid = 0;
    int status = 0;
    bool running = true;
  };

  // A port that rank 0 can take a little later: not one of those that the system gives to others.
  static std::uint16_t free_port() {
    for (int port = 20'000 + getpid() % 10'000;; ++port) {
      try {
        return Store::host(static_cast<std::uint16_t>(port)).port();
      } catch (const CommunicationError&) {
        if (port > 31'000) throw;
      }
    }
  }

  std::string log_of(int rank) const { return folder_ + "/log-" + std::to_string(rank); }

  static int count_in(const std::string& text, const std::string& part) {
    int count = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
    return count;
  }

  std::map<std::string, std::string> variables() const {
    auto variables = environment();
    std::erase_if(variables, [](const auto& v) { return v.first.starts_with("GTEST_"); });
    variables["ENTRAIN_TEST_FOLDER"] = folder_;
    variables["OMP_NUM_THREADS"] = "1";
    variables["GTEST_COLOR"] = "no";
    return variables;
  }

  // This test, once more.
  static std::string filter() {
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    return std::string("--gtest_filter=") + test.test_suite_name() + "." + test.name();
  }

  void start_rank(int rank, std::uint16_t port, StoreAt where) {
    auto set = variables();
    set["RANK"] = std::to_string(rank);
    set["WORLD_SIZE"] = std::to_string(size_);
    set["MASTER_ADDR"] = "127.0.0.1";
    set["MASTER_PORT"] = std::to_string(port);
    set["TORCHELASTIC_USE_AGENT_STORE"] = where == StoreAt::test ? "True" : "False";
    start({"/proc/self/exe", filter()}, set);
  }

  // One child, which starts the ranks and has the output of all.
  void start_mpirun() {
    start({"/usr/bin/env", "mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none",
           "-n", std::to_string(size_), std::filesystem::read_symlink("/proc/self/exe").string(),
           filter()},
          variables());
  }

  void start(std::vector<std::string> words, const std::map<std::string, std::string>& set) {
    std::vector<std::string> entries;
    for (const auto& [name, value] : set) entries.push_back(name + "=" + value);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO,
                                     log_of(static_cast<int>(children_.size())).c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    Child child;
    const int error = posix_spawn(&child.pid, words[0].c_str(), &actions, nullptr,
                                  pointers_to(words).data(), pointers_to(entries).data());
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error(std::strerror(error));
    children_.push_back(child);
  }

  static std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
  }

  int running() {
    int count = 0;
    for (Child& child : children_) {
      if (child.running && waitpid(child.pid, &child.status, WNOHANG) == child.pid)
        child.running = false;
      count += child.running;
    }
    return count;
  }

  std::string folder_;
  int size_;
  bool aborts_;
  std::optional<Store> store_;
  std::vector<Child> children_;
};

/// Runs `body` in the processes of `world`, as each of their ranks. Expectations in it count as the
/// test's. REQUIRES: at most one call in a test.
inline void across(World world, const std::function<void(RankPlay&)>& body,
                   StoreAt where = StoreAt::test,
                   std::chrono::seconds time = std::chrono::seconds(50)) {
  if (world.size == 0) {
    RankPlay play;
    return body(play);
  }
  if (const char* folder = std::getenv("ENTRAIN_TEST_FOLDER")) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::puts("the rank plays");
    std::fflush(stdout);
    RankPlay play(folder, world.via);
    body(play);
    return;
  }
  if (world.via == Via::mpi && !has_mpi()) GTEST_SKIP() << "built without MPI";
  if (world.via == Via::mpi && !has_mpirun()) FAIL() << "no mpirun: install openmpi-bin";
  const TestFolder folder;
  RankProcesses(world, where, folder.path()).expect_success(time);
}

/// The number that worker `worker` holds in a column: of either sign, over 2^24 in magnitude, and
/// the same in every process that asks.
inline double held(int worker, std::int64_t column) {
  std::uint64_t z = static_cast<std::uint64_t>(worker) << 40 | static_cast<std::uint64_t>(column);
  z = (z + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 29) * 0x94d049bb133111eb;
  z ^= z >> 32;
  const double fraction = static_cast<double>(static_cast<std::int64_t>(z) >> 11) * 0x1p-53;
  return std::ldexp(fraction, static_cast<int>(z % 24));
}

inline at::Tensor held_rows(int first, int count, std::int64_t columns, at::ScalarType type) {
  at::Tensor rows = at::empty({count, columns}, at::kDouble);
  double* values = rows.data_ptr<double>();
  for (int worker = first; worker < first + count; ++worker)
    for (std::int64_t j = 0; j < columns; ++j) *values++ = held(worker, j);
  return rows.to(type);
}

inline at::Tensor own_rows(const Communicator& comm, std::int64_t columns, at::ScalarType type) {
  return held_rows(comm.first_worker(), comm.local_workers(), columns, type);
}

inline std::string bytes_of(const at::Tensor& tensor) {
  return {static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()};
}

inline std::string fingerprint(const at::Tensor& tensor) {
  return std::to_string(std::hash<std::string>()(bytes_of(tensor)));
}

inline at::Tensor average(Communicator& comm, const at::Tensor& rows) {
  at::Tensor mean = at::full({1, rows.size(1)}, std::nan(""), rows.options());
  comm.launch_mean(rows, mean)->wait();
  return mean;
}

constexpr std::int64_t kLongest = 1'000'000;

}  // namespace entrain
