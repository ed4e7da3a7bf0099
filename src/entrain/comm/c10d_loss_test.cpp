#include "entrain/comm/c10d.h"
#include "entrain/comm/test_ranks.h"

namespace entrain {
namespace {

using Clock = std::chrono::steady_clock;

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

// The others have begun, and wait for parts that do not come.
TEST(C10dLoss, InTheMiddleOfALargeExchangeIsReportedWithTheRank) {
  across(4, [](RankPlay& play) {
    const auto ring = play.join(Sums::fast, 1, Links::short_);
    const auto direct = play.join(Sums::fast, 1, Links::long_);
    const at::Tensor rows = at::ones({1, 10 * kLongest});  // quickly made: silence counts as work
    for (Communicator* comm : {ring.get(), direct.get()}) {
      average(*comm, rows);
      comm->gather("warm");
    }
    const auto lose_in = [&](Communicator& comm) {
      at::Tensor mean = at::zeros({1, 10 * kLongest});
      const auto exchange = comm.launch_mean(rows, mean);
      expect_loss_of(2, play, loss_reported_by([&] { exchange->wait(); }));
    };
    if (play.rank() == 2) {
      at::Tensor one = at::zeros({1, 10 * kLongest}), two = at::zeros_like(one);
      const auto first = ring->launch_mean(rows, one), second = direct->launch_mean(rows, two);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      _exit(0);
    }
    std::thread other([&] { lose_in(*ring); });
    lose_in(*direct);
    other.join();
  });
}

// A communicator may end while exchanges that nobody waited for are under way.
TEST(C10dLoss, ACommunicatorEndsThoughAPeerNeverCame) {
  across(2, [](RankPlay& play) {
    for (Sums sums : {Sums::fast, Sums::reproducible}) {
      const std::string ended = sums == Sums::fast ? "ended-fast" : "ended-reproducible";
      auto comm = play.join(sums);
      average(*comm, own_rows(*comm, 1000, at::kFloat));
      if (play.rank() == 1) {
        play.await(ended);
        continue;
      }
      const at::Tensor rows = own_rows(*comm, 1000, at::kFloat);
      at::Tensor mean = at::zeros({1, 1000});
      const auto began = Clock::now();
      comm->launch_mean(rows, mean);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      comm.reset();
      EXPECT_LT(Clock::now() - began, std::chrono::seconds(5));
      play.signal(ended);
    }
  });
}

// done() only asks: the loss comes out of wait().
TEST(C10dLoss, ComesOutOfWait) {
  across(2, [](RankPlay& play) {
    const auto fast = play.join(Sums::fast, 1, Links::short_);
    const auto exact = play.join(Sums::reproducible, 1, Links::short_);
    fast->gather("both are here");
    if (play.rank() == 1) return;  // its communicators end, without waiting for others
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

// One that meets the others at the store and is gone before it connects to them.
TEST(C10dLoss, APeerThatMetAndDiedBeforeItConnectedIsNoHang) {
  across(3, [](RankPlay& play) {
    Place place = play.place();
    place.attempt = "met";
    if (play.rank() == 1) {
      Store::join(place, std::chrono::seconds(20));
      play.await("given up");
      return;
    }
    TransportOptions options;
    options.join_timeout = std::chrono::seconds(2);
    const std::string message = loss_reported_by([&] { c10d_communicator(place, options); });
    EXPECT_NE(message.find("could be connected to each other within 2 s"), message.npos) << message;
    play.signal("given up");
    _exit(testing::Test::HasFailure() ? 1 : 0);  // as a process that ends on this error
  });
}

// Who computes for long, as in an evaluation that only rank 0 makes, shows all the while that it
// lives.
TEST(C10dLoss, ARankThatComputesForLongIsWaitedFor) {
  across(3, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast, 1, Links::measured, std::chrono::seconds(1));
    average(*comm, own_rows(*comm, 1000, at::kFloat));
    if (play.rank() == 0) std::this_thread::sleep_for(std::chrono::seconds(3));
    average(*comm, own_rows(*comm, 1000, at::kFloat));
  });
}

// It lives, but for its machine: no packet says that it is gone.
TEST(C10dLoss, ARankThatIsStoppedIsNamed) {
  across(3, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast, 1, Links::measured, std::chrono::seconds(1));
    comm->gather("all are here");
    if (play.rank() == 2) {
      write_whole(play.path("pid"), std::to_string(getpid()));
      play.await("named 1");
      return;
    }
    play.await("pid");
    const pid_t stopped = std::stoi(read_whole(play.path("pid")));
    kill(stopped, SIGSTOP);
    expect_loss_of(2, play, loss_reported_by([&] { average_much(*comm); }));
    play.signal(fmt::format("named {}", play.rank()));
    for (const char* all : {"named 0", "named 1"}) play.await(all);
    kill(stopped, SIGCONT);
  });
}

// Both live, and would wait for each other.
TEST(C10dLoss, RanksThatWaitForDifferentThingsAreRefused) {
  across(2, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast, 1, Links::measured, std::chrono::seconds(1));
    average(*comm, own_rows(*comm, 1000, at::kFloat));
    const std::string message = loss_reported_by([&] {
      if (play.rank() == 0) average(*comm, own_rows(*comm, 1000, at::kFloat));
      if (play.rank() == 1) comm->gather("the hashes");
    });
    EXPECT_TRUE(message.find(" differ in exchange ") != message.npos ||
                message.find("another rank gave up") != message.npos)
        << message;
    play.signal(fmt::format("ended {}", play.rank()));
    for (const char* all : {"ended 0", "ended 1"}) play.await(all);
  });
}

// Who gives up for a reason of its own says so, and the others stop waiting.
TEST(C10dLoss, ARankThatAbandonsIsNotWaitedFor) {
  across(2, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast);
    average(*comm, own_rows(*comm, 1000, at::kFloat));
    if (play.rank() == 1) {
      comm->abandon();
      play.await("reported");
      return;
    }
    const std::string message = loss_reported_by([&] { average_much(*comm); });
    EXPECT_NE(message.find("another rank gave up"), message.npos) << message;
    play.signal("reported");
  });
}

}  // namespace
}  // namespace entrain
