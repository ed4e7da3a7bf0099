#include "entrain/comm/c10d.h"

#include "entrain/comm/local.h"
#include "entrain/comm/test_ranks.h"

namespace entrain {
namespace {

using Clock = std::chrono::steady_clock;

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

}  // namespace
}  // namespace entrain
