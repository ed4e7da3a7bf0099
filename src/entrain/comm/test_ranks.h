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
#include <cstring>
#include <functional>
#include <optional>
#include <thread>

#include "entrain/comm/c10d.h"
#include "entrain/comm/local.h"
#include "entrain/comm/store.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"
#include "entrain/core/files.h"
#include "entrain/core/test_folder.h"

namespace entrain {

/// One rank of a test that runs in several processes.
class RankPlay {
 public:
  explicit RankPlay(std::string folder)
      : folder_(std::move(folder)), place_(place_from(environment())) {}
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
    C10dOptions options;
    options.sums = sums;
    options.links = links;
    options.local_workers = local_workers;
    options.join_timeout = std::chrono::seconds(20);
    options.patience = patience;
    return c10d_communicator(place_, options);
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
  Place place_;
  int joined_ = 0;
};

enum class StoreAt { test, rank_0 };

/// The processes of a test: this binary again, each a fresh process, as the threads of torch do not
/// survive a fork.
class RankProcesses {
 public:
  RankProcesses(int size, StoreAt where, const std::string& folder) : folder_(folder) {
    if (where == StoreAt::test) store_.emplace(Store::host(0));
    const std::uint16_t port = store_ ? store_->port() : free_port();
    for (int rank = 0; rank < size; ++rank) start(rank, size, port, where);
  }

  // Every rank must have played, and ended with 0, in good time.
  void expect_success(std::chrono::seconds time) {
    const auto deadline = std::chrono::steady_clock::now() + time;
    while (running() > 0 && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    for (std::size_t rank = 0; rank < children_.size(); ++rank) {
      Child& child = children_[rank];
      if (child.running) {
        kill(child.pid, SIGKILL);
        waitpid(child.pid, &child.status, 0);
      }
      const std::string log = read_whole(log_of(static_cast<int>(rank)));
      EXPECT_FALSE(child.running) << "rank " << rank << " hangs:\n" << log;
      EXPECT_TRUE(child.running || child.status == 0)
          << "rank " << rank << " ended with status " << child.status << ":\n"
          << log;
      EXPECT_NE(log.find("the rank plays"), log.npos) << "rank " << rank << " did not:\n" << log;
    }
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

  void start(int rank, int size, std::uint16_t port, StoreAt where) {
    auto variables = environment();
    std::erase_if(variables, [](const auto& v) { return v.first.starts_with("GTEST_"); });
    variables["RANK"] = std::to_string(rank);
    variables["WORLD_SIZE"] = std::to_string(size);
    variables["MASTER_ADDR"] = "127.0.0.1";
    variables["MASTER_PORT"] = std::to_string(port);
    variables["TORCHELASTIC_USE_AGENT_STORE"] = where == StoreAt::test ? "True" : "False";
    variables["ENTRAIN_TEST_FOLDER"] = folder_;
    variables["OMP_NUM_THREADS"] = "1";
    std::vector<std::string> entries;
    for (const auto& [name, value] : variables) entries.push_back(name + "=" + value);
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    std::vector<std::string> arguments = {
        "test", std::string("--gtest_filter=") + test.test_suite_name() + "." + test.name()};

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log_of(rank).c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    Child child;
    const int error = posix_spawn(&child.pid, "/proc/self/exe", &actions, nullptr,
                                  pointers_to(arguments).data(), pointers_to(entries).data());
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
  std::optional<Store> store_;
  std::vector<Child> children_;
};

/// Runs `body` in `size` processes, as each of their ranks; 0: in this one, with all workers in it.
/// Expectations in it count as the test's. REQUIRES: at most one call in a test.
inline void across(int size, const std::function<void(RankPlay&)>& body,
                   StoreAt where = StoreAt::test,
                   std::chrono::seconds time = std::chrono::seconds(50)) {
  if (size == 0) {
    RankPlay play;
    return body(play);
  }
  if (const char* folder = std::getenv("ENTRAIN_TEST_FOLDER")) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::puts("the rank plays");
    std::fflush(stdout);
    RankPlay play(folder);
    body(play);
    return;
  }
  const TestFolder folder;
  RankProcesses(size, where, folder.path()).expect_success(time);
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
