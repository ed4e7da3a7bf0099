#include "entrain/comm/c10d.h"

#include "entrain/comm/local.h"
#include "entrain/comm/test_ranks.h"
#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Sums kBothSums[] = {Sums::fast, Sums::reproducible};

class BetweenProcesses : public testing::TestWithParam<Via> {};

INSTANTIATE_TEST_SUITE_P(Transports, BetweenProcesses, testing::Values(Via::gloo, Via::mpi),
                         [](const auto& info) { return info.param == Via::mpi ? "mpi" : "gloo"; });

TEST_P(BetweenProcesses, ReproducibleMeansHaveTheBitsOfOneProcess) {
  across({3, GetParam()}, [](RankPlay& play) {
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

// Rank 1 launches only when rank 0 has seen that its own launch came back with work left to do.
TEST_P(BetweenProcesses, LaunchReturnsBeforeAPeerHasLaunched) {
  across({2, GetParam()}, [](RankPlay& play) {
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
      EXPECT_TRUE(mean.equal(average(*comm, rows)));
    }
  });
}

TEST_P(BetweenProcesses, GatherGivesEveryRanksBytesInOrder) {
  across({3, GetParam()}, [](RankPlay& play) {
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

TEST_P(BetweenProcesses, KnowsItsPlaceAndCountsTheBytesOnTheWire) {
  across({3, GetParam()}, [](RankPlay& play) {
    struct Case {
      Sums sums;
      int local_workers;
      at::ScalarType type;
      std::int64_t there, back;  // bytes of an item, to the owner of its chunk and as a mean
    };
    const std::int64_t chunk = play.rank() == 2 ? 333 : 335;
    for (const Case& one :
         {Case{Sums::fast, 1, at::kFloat, 4, 4}, Case{Sums::fast, 3, at::kFloat, 4, 4},
          Case{Sums::fast, 3, at::kDouble, 8, 8}, Case{Sums::reproducible, 1, at::kFloat, 4, 4},
          Case{Sums::reproducible, 2, at::kFloat, 8, 4},
          Case{Sums::reproducible, 2, at::kDouble, 8, 8}}) {
      const std::int64_t bytes = (1003 - chunk) * one.there + 2 * chunk * one.back;
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
        EXPECT_EQ(comm->wire_bytes_sent(), exchanges * bytes);
      }
    }
  });
}

TEST(C10d, NewSizesThatDifferAreRefusedWithBothRanks) {
  across(3, [](RankPlay& play) {
    for (Sums sums : kBothSums) {
      const auto comm = play.join(sums);
      const at::Tensor rows = own_rows(*comm, 1000, at::kFloat), before = rows.clone();
      average(*comm, rows);
      const std::int64_t columns = play.rank() == 2 ? 999 : 998;
      const std::string text =
          refusal_of<CommunicationError>([&] { average(*comm, rows.narrow(1, 0, columns)); });
      const char* pair = play.rank() == 2 ? "rank 2 and rank 0 differ in exchange 2: a "
                                          : "rank 2 differ in exchange 2: a ";
      EXPECT_NE(text.find(pair), text.npos) << text;
      EXPECT_NE(text.find("sum of 998 x Float"), text.npos) << text;
      EXPECT_NE(text.find("sum of 999 x Float"), text.npos) << text;
      EXPECT_TRUE(rows.equal(before));
    }
  });
}

// A rank that knows its size already does not ask; it hears of the other's question.
TEST(C10d, AKnownSizeAndANewOneAreRefusedWithBothRanks) {
  across(3, [](RankPlay& play) {
    for (Sums sums : kBothSums) {
      const auto comm = play.join(sums);
      const at::Tensor rows = own_rows(*comm, 1000, at::kDouble);
      average(*comm, rows);
      const std::int64_t columns = play.rank() == 1 ? 10 : 1000;
      const auto began = Clock::now();
      const std::string text =
          refusal_of<CommunicationError>([&] { average(*comm, rows.narrow(1, 0, columns)); });
      EXPECT_LT(Clock::now() - began, std::chrono::seconds(5));
      EXPECT_NE(text.find(" and rank "), text.npos) << text;
      EXPECT_NE(text.find("rank 1"), text.npos) << text;
      EXPECT_NE(text.find("sum of 10 x Double"), text.npos) << text;
      EXPECT_NE(text.find("sum of 1000 x Double"), text.npos) << text;
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
    TransportOptions options;
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

}  // namespace
}  // namespace entrain
