#include "entrain/comm/clocks.h"

#include "entrain/comm/decorator.h"
#include "entrain/comm/test_ranks.h"
#include "entrain/comm/timeline.h"

namespace entrain {
namespace {

// A process whose clock is wrong: `ahead` seconds at `from`, and from there `drift` more a second.
class WrongClock : public Decorator {
 public:
  WrongClock(Communicator& inner, double ahead, double drift)
      : Decorator(inner), from_(inner.now()), ahead_(ahead), drift_(drift) {}

  double now() const override { return wrong(Decorator::now()); }
  std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) override {
    return std::make_unique<Shown>(Decorator::launch_mean(rows, mean), *this);
  }

 private:
  struct Shown : Exchange {
    Shown(std::unique_ptr<Exchange> inner, const WrongClock& clock)
        : inner(std::move(inner)), clock(clock) {}
    bool done() override { return inner->done(); }
    void wait() override { inner->wait(); }
    double finished_at() const override { return clock.wrong(inner->finished_at()); }
    std::unique_ptr<Exchange> inner;
    const WrongClock& clock;
  };

  double wrong(double right) const { return right + ahead_ + drift_ * (right - from_); }

  double from_, ahead_, drift_;
};

void sleep(int milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

TEST(Clocks, AreReadBesideRankZeros) {
  across(3, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast);
    WrongClock wrong(*comm, 100.0 * play.rank(), 0);
    const ClockReading reading = read_clock(wrong);
    EXPECT_LT(reading.error, 0.1);
    EXPECT_NEAR(reading.ahead, -100.0 * play.rank(), reading.error + 1e-9);
  });
}

TEST(Clocks, ADriftBetweenTwoReadingsIsTakenOut) {
  const AlignedClock clock({100, 10, 0.5}, {200, 11, 0.25});
  EXPECT_DOUBLE_EQ(clock(100), 110);
  EXPECT_DOUBLE_EQ(clock(150), 160.5);
  EXPECT_DOUBLE_EQ(clock(200), 211);
  EXPECT_EQ(clock.error(), 0.5);
  EXPECT_EQ(AlignedClock({5, 1, 0}, {5, 1, 0})(7), 8);  // no time between the readings
}

struct Waited {
  double launched, begin, end, error;
};

// One rank's clock is a minute off and runs too fast, and it is late at every exchange: the others
// wait for it. On one clock, all ranks are in a blocking exchange until the last one came.
TEST(Clocks, OneExchangeIsAtOneTimeOnAlignedClocks) {
  across(3, [](RankPlay& play) {
    const bool late = play.rank() == 2;
    const auto comm = play.join(Sums::fast);
    WrongClock wrong(*comm, late ? 60 : 0, late ? 0.05 : 0);
    const ClockReading first = read_clock(wrong);
    Timeline timeline(wrong);
    timeline.restart(100);
    const at::Tensor rows = at::ones({1, 1000});
    std::vector<double> launches;
    for (int i = 0; i < 5; ++i) {
      at::Tensor mean = at::empty({1, 1000});
      sleep(late ? 60 : 10);
      launches.push_back(wrong.now());
      timeline.under_way([&] { return wrong.launch_mean(rows, mean); })->wait();
    }
    const AlignedClock clock(first, read_clock(wrong));
    std::vector<Waited> own;
    for (const TimeSpan& span : timeline.spans()) {
      if (span.activity != Activity::wait) continue;
      own.push_back(
          {clock(launches.at(own.size())), clock(span.begin), clock(span.end), clock.error()});
    }
    ASSERT_EQ(own.size(), 5u);
    const auto all =
        collect(*comm, std::string(reinterpret_cast<const char*>(own.data()), 5 * sizeof(Waited)));
    ASSERT_EQ(all.size(), play.rank() == 0 ? 3u : 0u);
    if (play.rank() > 0) return;
    const auto span = [&](int rank, int i) {
      Waited one = {};
      std::memcpy(&one, all.at(rank).data() + i * sizeof one, sizeof one);
      return one;
    };
    for (int i = 0; i < 5; ++i) {
      const double came = span(2, i).launched;
      for (int rank : {0, 1}) {
        const Waited other = span(rank, i);
        const double slack = span(2, i).error + other.error;
        EXPECT_LT(other.begin, came + slack) << "exchange " << i << " of rank " << rank;
        EXPECT_GT(other.end, came - slack) << "exchange " << i << " of rank " << rank;
        EXPECT_GT(other.end - other.begin, 0.02);
        EXPECT_LT(slack, 0.02);  // or this would say little
      }
    }
  });
}

TEST(Clocks, CollectBringsAllBytesToRankZero) {
  across(3, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast);
    const std::vector<std::string> texts = {"zero", "", std::string(3'000'000, 'x')};
    const auto all = collect(*comm, texts[play.rank()]);
    EXPECT_TRUE(all == (play.rank() == 0 ? texts : std::vector<std::string>()));
  });
}

TEST(Clocks, AloneThereIsNothingToRead) {
  const auto comm = local_communicator(2);
  const ClockReading reading = read_clock(*comm);
  EXPECT_EQ(reading.ahead, 0);
  EXPECT_EQ(reading.error, 0);
  EXPECT_EQ(collect(*comm, "own"), std::vector<std::string>{"own"});
}

// Rank 1 launches long after rank 0, which looks long after the result is there.
TEST(Clocks, AnExchangeFinishesWhenItsResultIsThereAndNotWhenItIsLookedAt) {
  across(2, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast, 1, Links::short_);
    for (std::int64_t columns : {std::int64_t{1000}, std::int64_t{3'000'000}}) {  // direct, ring
      const at::Tensor rows = at::ones({1, columns});
      at::Tensor mean = at::empty_like(rows);
      comm->gather("");
      if (play.rank() == 1) sleep(150);
      const double launched = comm->now();
      const auto exchange = comm->launch_mean(rows, mean);
      if (play.rank() == 0) sleep(600);
      exchange->wait();
      const double took = exchange->finished_at() - launched;
      EXPECT_GT(took, play.rank() == 0 ? 0.1 : 0) << columns;
      EXPECT_LT(took, play.rank() == 0 ? 0.5 : 0.4) << columns;
    }
  });
}

}  // namespace
}  // namespace entrain
