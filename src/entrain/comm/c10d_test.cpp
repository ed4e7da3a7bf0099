#include "entrain/comm/c10d.h"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>
#include <thread>

#include "entrain/comm/local.h"
#include "entrain/comm/store.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"
#include "entrain/core/files.h"

namespace entrain {
namespace {

using Clock = std::chrono::steady_clock;

// One rank of a test that runs in several processes.
class RankPlay {
 public:
  explicit RankPlay(std::string folder)
      : folder_(std::move(folder)), place_(place_from(environment())) {}

  int rank() const { return place_.rank; }
  int size() const { return place_.size; }
  Place place() const { return place_; }

  // Joins the others, who join in the same order; each time they meet under keys of their own.
  std::unique_ptr<Communicator> join(Sums sums, int local_workers = 1) {
    place_.attempt = std::to_string(++joined_);
    C10dOptions options;
    options.sums = sums;
    options.local_workers = local_workers;
    options.join_timeout = std::chrono::seconds(20);
    return c10d_communicator(place_, options);
  }

  // A way to wait for another rank past the code under test.
  void signal(const std::string& name) const { write_whole(folder_ + "/" + name, ""); }
  void await(const std::string& name) const {
    while (!std::filesystem::exists(folder_ + "/" + name))
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }

 private:
  std::string folder_;
  Place place_;
  int joined_ = 0;
};

enum class StoreAt { test, rank_0 };

// The processes of a test: this binary again, each a fresh process, as the threads of torch do not
// survive a fork.
class RankProcesses {
 public:
  RankProcesses(int size, StoreAt where, const std::string& folder) : folder_(folder) {
    if (where == StoreAt::test) store_.emplace(Store::host(0));
    const std::uint16_t port = store_ ? store_->port() : free_port();
    for (int rank = 0; rank < size; ++rank) start(rank, size, port, where);
  }

  // Every rank must have played, and ended with 0, in good time.
  void expect_success() {
    const auto deadline = Clock::now() + std::chrono::seconds(50);
    while (running() > 0 && Clock::now() < deadline)
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

// Runs `body` in `size` processes, as each of their ranks. Expectations in it count as the test's.
// REQUIRES: at most one call in a test.
void across(int size, const std::function<void(RankPlay&)>& body, StoreAt where = StoreAt::test) {
  if (const char* folder = std::getenv("ENTRAIN_TEST_FOLDER")) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::puts("the rank plays");
    std::fflush(stdout);
    RankPlay play(folder);
    body(play);
    return;
  }
  std::string folder = (std::filesystem::temp_directory_path() / "entrain-ranks-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  RankProcesses(size, where, folder).expect_success();
  std::filesystem::remove_all(folder);
}

// The number that worker `worker` holds in a column: of either sign, over 2^24 in magnitude, and
// the same in every process that asks.
double held(int worker, std::int64_t column) {
  std::uint64_t z = static_cast<std::uint64_t>(worker) << 40 | static_cast<std::uint64_t>(column);
  z = (z + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 29) * 0x94d049bb133111eb;
  z ^= z >> 32;
  const double fraction = static_cast<double>(static_cast<std::int64_t>(z) >> 11) * 0x1p-53;
  return std::ldexp(fraction, static_cast<int>(z % 24));
}

at::Tensor held_rows(int first, int count, std::int64_t columns, at::ScalarType type) {
  at::Tensor rows = at::empty({count, columns}, at::kDouble);
  double* values = rows.data_ptr<double>();
  for (int worker = first; worker < first + count; ++worker)
    for (std::int64_t j = 0; j < columns; ++j) *values++ = held(worker, j);
  return rows.to(type);
}

at::Tensor own_rows(const Communicator& comm, std::int64_t columns, at::ScalarType type) {
  return held_rows(comm.first_worker(), comm.local_workers(), columns, type);
}

std::string bytes_of(const at::Tensor& tensor) {
  return {static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()};
}

std::string fingerprint(const at::Tensor& tensor) {
  return std::to_string(std::hash<std::string>()(bytes_of(tensor)));
}

at::Tensor average(Communicator& comm, const at::Tensor& rows) {
  at::Tensor mean = at::full({1, rows.size(1)}, std::nan(""), rows.options());
  comm.launch_mean(rows, mean)->wait();
  return mean;
}

// The mean over all workers in long double, and of their magnitudes, which bound what rounding
// does.
struct Exact {
  std::vector<long double> mean, magnitude;

  explicit Exact(const at::Tensor& rows)
      : mean(static_cast<std::size_t>(rows.size(1))), magnitude(mean.size()) {
    const at::Tensor wide = rows.to(at::kDouble);
    const double* value = wide.data_ptr<double>();
    const auto n = static_cast<long double>(rows.size(0));
    for (std::int64_t i = 0; i < rows.size(0); ++i)
      for (std::size_t j = 0; j < mean.size(); ++j, ++value) {
        mean[j] += *value / n;
        magnitude[j] += std::abs(*value) / n;
      }
  }

  // Reproducible sums are rounded in double on their way, and once to the type at the end; fast
  // ones are rounded to the type in each of the ring's steps.
  void expect_near(const at::Tensor& got, Sums sums, int processes, int local_workers) const {
    const long double unit = got.scalar_type() == at::kFloat ? 0x1p-24L : 0x1p-53L;
    const int additions = processes + local_workers;
    const at::Tensor wide = got.to(at::kDouble);
    const double* value = wide.data_ptr<double>();
    for (std::int64_t j = 0; j < got.size(1); ++j) {
      const long double bound = sums == Sums::fast ? (additions + 2) * unit * magnitude[j]
                                                   : additions * 0x1p-53L * magnitude[j] +
                                                         unit * std::abs(mean[j]) * 1.01L;
      ASSERT_LE(std::abs(value[j] - mean[j]), bound) << "column " << j << " of " << got.size(1);
    }
  }
};

constexpr Sums kBothSums[] = {Sums::fast, Sums::reproducible};
constexpr std::int64_t kLongest = 1'000'000;

class C10dMeans : public testing::TestWithParam<int> {};

TEST_P(C10dMeans, AreExactToRoundingAndAlikeOnAllRanks) {
  across(GetParam(), [](RankPlay& play) {
    for (int w : {1, 2, 3}) {
      const auto fast = play.join(Sums::fast, w), exact = play.join(Sums::reproducible, w);
      const at::Tensor rows = own_rows(*fast, kLongest, at::kDouble);
      const at::Tensor everyones =
          play.rank() == 0 ? held_rows(0, fast->workers(), kLongest, at::kDouble) : at::Tensor();
      for (at::ScalarType type : {at::kFloat, at::kDouble}) {
        const at::Tensor whole = rows.to(type), before = whole.clone();
        std::optional<Exact> expected;
        if (play.rank() == 0) expected.emplace(everyones.to(type));
        for (Sums sums : kBothSums)
          for (std::int64_t columns : {std::int64_t{1}, std::int64_t{5}, std::int64_t{1000},
                                       std::int64_t{100'003}, kLongest}) {
            Communicator& comm = sums == Sums::fast ? *fast : *exact;
            const at::Tensor mean = average(comm, whole.narrow(1, 0, columns));
            if (expected) expected->expect_near(mean, sums, play.size(), w);
            const auto all = comm.gather(fingerprint(mean));
            EXPECT_EQ(all, std::vector<std::string>(play.size(), all[0])) << columns << " columns";
          }
        EXPECT_TRUE(whole.equal(before)) << "the rows were written to";
      }
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Processes, C10dMeans, testing::Values(1, 2, 3, 4));

// Powers of two per process: then also the sums of several processes are those of one.
TEST(C10d, ReproducibleMeansHaveTheBitsOfOneProcess) {
  across(3, [](RankPlay& play) {
    for (int w : {1, 2, 4}) {
      const auto comm = play.join(Sums::reproducible, w);
      const auto alone = local_communicator(comm->workers());
      for (at::ScalarType type : {at::kFloat, at::kDouble}) {
        const at::Tensor mean = average(*comm, own_rows(*comm, 100'003, type));
        const at::Tensor all = held_rows(0, comm->workers(), 100'003, type);
        EXPECT_EQ(fingerprint(mean), fingerprint(average(*alone, all))) << w << " a process";
      }
    }
  });
}

TEST(C10d, SeveralExchangesInFlight) {
  across(3, [](RankPlay& play) {
    for (Sums sums : kBothSums) {
      const auto comm = play.join(sums);
      const auto blocking = play.join(sums);
      for (bool in_order : {true, false}) {
        const at::Tensor one = own_rows(*comm, 300'000, at::kFloat);
        const at::Tensor two = own_rows(*comm, 1'000, at::kDouble) + 1;
        at::Tensor mean_one = at::zeros({1, 300'000});
        at::Tensor mean_two = at::zeros({1, 1'000}, at::kDouble);
        const auto first = comm->launch_mean(one, mean_one);
        const auto second = comm->launch_mean(two, mean_two);
        EXPECT_EQ(comm->gather("between").size(), 3u);
        (in_order ? first : second)->wait();
        (in_order ? second : first)->wait();
        EXPECT_TRUE(mean_one.equal(average(*blocking, one)));
        EXPECT_TRUE(mean_two.equal(average(*blocking, two)));
      }
    }
  });
}

// Rank 1 launches only when rank 0 has seen that its own launch came back with work left to do.
TEST(C10d, LaunchReturnsBeforeAPeerHasLaunched) {
  across(2, [](RankPlay& play) {
    for (Sums sums : kBothSums) {
      const auto comm = play.join(sums);
      const std::string seen = sums == Sums::fast ? "seen-fast" : "seen-reproducible";
      const at::Tensor rows = own_rows(*comm, kLongest, at::kFloat), before = rows.clone();
      at::Tensor mean = at::zeros({1, kLongest});
      if (play.rank() == 1) play.await(seen);
      const auto exchange = comm->launch_mean(rows, mean);
      if (play.rank() == 0) {
        EXPECT_FALSE(exchange->done());
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        EXPECT_FALSE(exchange->done());
        play.signal(seen);
      }
      while (!exchange->done()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      const auto began = Clock::now();
      exchange->wait();
      EXPECT_LT(Clock::now() - began, std::chrono::seconds(1));
      EXPECT_TRUE(rows.equal(before));
      Exact(held_rows(0, 2, kLongest, at::kFloat)).expect_near(mean, sums, 2, 1);
    }
  });
}

TEST(C10d, GatherGivesEveryRanksBytesInOrder) {
  across(3, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast);
    const std::vector<std::vector<std::string>> rounds = {
        {"zero", "one", "two"},
        {"", "", ""},
        {"", std::string("\0a\0", 3), std::string(1'000'000, 'x')},
        {std::string(1'000'000, 'a'), std::string(999'999, '\xff'), std::string(1, '\0')},
    };
    for (const auto& texts : rounds) {
      const auto all = comm->gather(texts[play.rank()]);
      ASSERT_EQ(all.size(), texts.size());
      for (std::size_t rank = 0; rank < all.size(); ++rank)
        EXPECT_TRUE(all[rank] == texts[rank]) << "of rank " << rank;
    }
  });
}

TEST(C10d, KnowsItsPlaceAndCountsTheBytesOnTheWire) {
  across(3, [](RankPlay& play) {
    struct Case {
      Sums sums;
      int local_workers;
      at::ScalarType type;
      std::int64_t bytes;  // of 1003 columns, in chunks of 335 where the exchange is direct
    };
    for (const Case& one : {Case{Sums::fast, 1, at::kFloat, 2 * 2 * 4 * 1003 / 3},
                            Case{Sums::fast, 3, at::kDouble, 2 * 2 * 8 * 1003 / 3},
                            Case{Sums::reproducible, 1, at::kFloat, 2 * 335 * (4 + 4)},
                            Case{Sums::reproducible, 2, at::kFloat, 2 * 335 * (8 + 4)},
                            Case{Sums::reproducible, 2, at::kDouble, 2 * 335 * (8 + 8)}}) {
      const auto comm = play.join(one.sums, one.local_workers);
      EXPECT_EQ(comm->rank(), play.rank());
      EXPECT_EQ(comm->size(), 3);
      EXPECT_EQ(comm->local_workers(), one.local_workers);
      EXPECT_EQ(comm->workers(), 3 * one.local_workers);
      EXPECT_EQ(comm->first_worker(), play.rank() * one.local_workers);
      EXPECT_EQ(comm->epoch(), 0);
      EXPECT_EQ(comm->wire_bytes_sent(), 0);
      for (int exchanges : {1, 2}) {
        average(*comm, own_rows(*comm, 1003, one.type));
        EXPECT_EQ(comm->wire_bytes_sent(), exchanges * one.bytes);
      }
    }
  });
}

TEST(C10d, WrongShapesAreDefectsOfTheCaller) {
  across(1, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast, 2);
    EXPECT_THROW(comm->launch_mean(at::zeros({3, 8}), at::zeros({1, 8})), std::logic_error);
    EXPECT_THROW(comm->launch_mean(at::zeros({2, 8}), at::zeros({1, 7})), std::logic_error);
    EXPECT_TRUE(average(*comm, at::ones({2, 8})).equal(at::ones({1, 8})));
  });
}

TEST(C10d, NamesTheRanksThatDoNotArrive) {
  across(4, [](RankPlay& play) {
    if (play.rank() == 1 || play.rank() == 3) return;
    const auto began = Clock::now();
    C10dOptions options;
    options.join_timeout = std::chrono::seconds(1);
    try {
      c10d_communicator(play.place(), options);
      ADD_FAILURE() << "joined without ranks 1 and 3";
    } catch (const CommunicationError& error) {
      EXPECT_EQ(std::string(error.what()).find("ranks 1, 3 of 4 did not arrive at 127.0.0.1:"), 0u)
          << error.what();
    }
    EXPECT_LT(Clock::now() - began, std::chrono::seconds(3));
  });
}

// The message of the CommunicationError that `action` must end in within ten seconds.
std::string loss_reported_by(const std::function<void()>& action) {
  const auto began = Clock::now();
  std::string message = "nothing was thrown";
  try {
    action();
  } catch (const CommunicationError& error) {
    message = error.what();
  } catch (const std::exception& error) {
    message = std::string("another exception: ") + error.what();
  }
  EXPECT_LT(Clock::now() - began, std::chrono::seconds(10)) << message;
  return message;
}

void expect_loss_of(int lost, const RankPlay& play, const std::string& message) {
  EXPECT_EQ(message.find(fmt::format("rank {} in exchange ", play.rank())), 0u) << message;
  EXPECT_NE(message.find(fmt::format("no word from rank {}:", lost)), message.npos) << message;
}

// A way of using a communicator, by which the loss of a peer comes out.
struct Way {
  Sums sums;
  std::function<void(Communicator&)> use;
};

void average_much(Communicator& comm) { average(comm, own_rows(comm, kLongest, at::kFloat)); }

// All ranks meet; then `lost` is gone without a word, and the others find out in each way,
// all at a time, as each takes seconds.
void lose(int lost, int size, const std::vector<Way>& ways, StoreAt where) {
  across(
      size,
      [&](RankPlay& play) {
        std::vector<std::unique_ptr<Communicator>> comms;
        for (const Way& way : ways) {
          comms.push_back(play.join(way.sums));
          average(*comms.back(), own_rows(*comms.back(), 1000, at::kFloat));
        }
        comms[0]->gather("all have landed");
        if (play.rank() == lost) _exit(0);
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < comms.size(); ++i)
          threads.emplace_back([&, i] {
            SCOPED_TRACE(i);
            expect_loss_of(lost, play, loss_reported_by([&] { ways[i].use(*comms[i]); }));
          });
        for (std::thread& thread : threads) thread.join();
      },
      where);
}

TEST(C10dLoss, IsReportedWithTheRank) {
  lose(1, 3,
       {{Sums::fast, average_much},
        {Sums::reproducible, average_much},
        {Sums::fast, [](Communicator& comm) { comm.gather("hello?"); }}},
       StoreAt::test);
}

// In a ring of four, rank 3 hears nothing from Gloo and learns of the loss last: rank 0 must not
// have left with the store by then.
TEST(C10dLoss, IsReportedWithTheRankWhereRankZeroHostsTheStore) {
  lose(1, 4, {{Sums::fast, average_much}}, StoreAt::rank_0);
}

// done() only asks: the loss comes out of wait().
TEST(C10dLoss, ComesOutOfWait) {
  across(2, [](RankPlay& play) {
    const auto fast = play.join(Sums::fast), exact = play.join(Sums::reproducible);
    fast->gather("both are here");
    if (play.rank() == 1) return;  // its communicators end
    const auto find_out = [&](Communicator& comm) {
      const at::Tensor rows = own_rows(comm, kLongest, at::kFloat);
      at::Tensor mean = at::zeros({1, kLongest});
      const auto exchange = comm.launch_mean(rows, mean);
      const auto deadline = Clock::now() + std::chrono::seconds(5);
      bool done = false;
      EXPECT_NO_THROW(while (!done && Clock::now() < deadline) done = exchange->done());
      EXPECT_TRUE(done);
      expect_loss_of(1, play, loss_reported_by([&] { exchange->wait(); }));
    };
    std::thread other([&] { find_out(*exact); });
    find_out(*fast);
    other.join();
  });
}

// Gloo writes to a peer that may be gone, by system calls that end a process that does not say
// otherwise.
TEST(C10dLoss, AWriteToALostPeerDoesNotEndTheProcess) {
  across(1, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast);
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    close(ends[0]);
    EXPECT_EQ(write(ends[1], "x", 1), -1);
    EXPECT_EQ(errno, EPIPE);
    close(ends[1]);
  });
}

TEST(C10dLoss, TheStoreOfRankZeroIsGoneWithIt) {
  across(
      2,
      [](RankPlay& play) {
        const auto comm = play.join(Sums::fast);
        comm->gather("both are here");
        if (play.rank() == 0) _exit(0);
        const std::string message = loss_reported_by([&] { average_much(*comm); });
        EXPECT_NE(message.find("rank 1 in exchange "), message.npos) << message;
        EXPECT_NE(message.find(" is gone with rank 0:"), message.npos) << message;
      },
      StoreAt::rank_0);
}

}  // namespace
}  // namespace entrain
