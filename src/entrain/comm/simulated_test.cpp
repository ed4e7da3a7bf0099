#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <functional>

#include "entrain/comm/test_simulated.h"
#include "entrain/core/test_folder.h"

namespace entrain {
namespace {

// A blocking mean every h steps: T c + T/h t. Overlapped: nothing shows while t <= h c.
TEST(Simulated, BlockingWaitsAndOverlapHides) {
  const double t = 2 * 3 * (0.01 + 0.25);
  for (int h : {1, 2, 8}) {
    Field blocking(4), overlapped(4);
    std::unique_ptr<Exchange> in_flight;
    for (int step = 1; step <= 16; ++step) {
      blocking.comm.compute(step);
      overlapped.comm.compute(step);
      if (step % h != 0) continue;
      blocking.mean()->wait();
      if (in_flight) in_flight->wait();
      in_flight = overlapped.mean();
    }
    EXPECT_NEAR(blocking.comm.seconds(), 16 + 16.0 / h * t, kClose);
    EXPECT_NEAR(blocking.comm.exposed_seconds(), 16.0 / h * t, kClose);
    const double rounds = 16.0 / h;
    const double exposed = (rounds - 1) * std::max(0.0, t - h);
    EXPECT_NEAR(overlapped.comm.seconds(), 16 + exposed, kClose) << "h = " << h;
    EXPECT_NEAR(overlapped.comm.exposed_seconds(), exposed, kClose);
    EXPECT_NEAR(overlapped.comm.compute_seconds(), 16, kClose);
    EXPECT_NEAR(overlapped.comm.transfer_seconds(), rounds * t, kClose);
    EXPECT_NEAR(overlapped.comm.hidden_seconds(), (rounds - 1) * std::min<double>(h, t), kClose);
    EXPECT_NEAR(blocking.comm.hidden_seconds(), 0, kClose);
  }
}

TEST(Simulated, GossipTakesDegreeTimesTheMessage) {
  Field field(6);
  for (int step = 1; step <= 10; ++step) {
    field.comm.compute(step);
    field.mix(ring_mixing(6))->wait();
  }
  EXPECT_NEAR(field.comm.seconds(), 10 * (1 + 0.01 + 2), kClose);
}

TEST(Simulated, GroupsAverageBesideEachOther) {
  Field field(6, "constant(1 s)", "factors([1, 1, 1, 2])");  // worker 3 is slow
  Mixing pairs;
  for (int i = 0; i < 6; ++i) pairs.rows.push_back({{i / 2 * 2, 0.5}, {i / 2 * 2 + 1, 0.5}});
  pairs.group = 2;
  field.comm.compute(1);
  field.mix(pairs)->wait();
  const double t = 2 * (0.01 + 0.5);
  for (int worker : {0, 1, 4, 5}) EXPECT_NEAR(field.comm.clock(worker), 1 + t, kClose) << worker;
  for (int worker : {2, 3}) EXPECT_NEAR(field.comm.clock(worker), 2 + t, kClose) << worker;
}

// Computed by hand: three workers, six steps, a mean after steps 3 and 6; worker 1 takes 4 s for
// step 2 and worker 2 takes 3 s for step 5, all others 1 s. A mean takes 4 (0.01 + 1/3) = 1.37333
// s.
TEST(Simulated, ATimelineOfStragglers) {
  const TestFolder folder;
  std::ofstream(folder / "trace.txt") << "1 1 1\n1 4 1\n1 1 1\n1 1 1\n1 1 3\n1 1 1\n";
  Field field(3, fmt::format("trace(\"{}\")", (folder / "trace.txt").string()));
  const double t = 4 * (0.01 + 1.0 / 3);
  for (int step = 1; step <= 6; ++step) {
    field.comm.compute(step);
    if (step % 3 == 0) field.mean()->wait();
    if (step == 2) {
      EXPECT_NEAR(field.comm.clock(1), 5, kClose);
      EXPECT_NEAR(field.comm.clock(0), 2, kClose) << "nobody waits yet";
    }
  }
  EXPECT_NEAR(field.comm.seconds(), 6 + t + 5 + t, kClose);
  // Waited: (3 + t, t, 3 + t) for the first mean, (2 + t, 2 + t, t) for the second.
  EXPECT_NEAR(field.comm.exposed_seconds(), (6 + 3 * t + 4 + 3 * t) / 3, kClose);
  EXPECT_THROW(field.comm.compute(7), UsageError) << "the trace ends";
}

// Three workers, six steps; worker 1 is slow in step 2, worker 2 in step 4, worker 0 in step 5. A
// mean takes 4 (0.125 + 0.125) = 1 s, a message between neighbours 0.125 + 0.375 = 0.5 s.
struct Stragglers {
  TestFolder folder;
  Field field{3, trace(), "none", {.link = {0.125, 8000.0 / 3}}};

  std::string trace() const {
    std::ofstream(folder / "trace.txt") << "1 1 1\n1 4 1\n1 1 1\n1 1 2\n3 1 1\n1 1 1\n";
    return fmt::format("trace(\"{}\")", (folder / "trace.txt").string());
  }

  // Runs the six steps; after each, the clocks must be those of the table.
  void expect_clocks(const std::array<std::array<double, 3>, 6>& table,
                     const std::function<void(int step)>& exchange) {
    for (int step = 1; step <= 6; ++step) {
      field.comm.compute(step);
      exchange(step);
      for (int worker = 0; worker < 3; ++worker) {
        EXPECT_NEAR(field.comm.clock(worker), table[step - 1][worker], kClose)
            << "worker " << worker << " after step " << step;
      }
    }
    EXPECT_NEAR(field.comm.compute_seconds(), 8, kClose);  // 8, 9 and 7
  }
};

// Computed by hand: the means begin at 5, 9 and 14.
TEST(Simulated, StragglersOfABlockingMean) {
  Stragglers run;
  run.expect_clocks({{{1, 1, 1}, {6, 6, 6}, {7, 7, 7}, {10, 10, 10}, {13, 11, 11}, {15, 15, 15}}},
                    [&](int step) {
                      if (step % 2 == 0) run.field.mean()->wait();
                    });
  EXPECT_NEAR(run.field.comm.exposed_seconds(), (9 + 5 + 7) / 3.0, kClose);
  EXPECT_NEAR(run.field.comm.transfer_seconds(), 3, kClose);
}

// Computed by hand: the same means begin at 5, 7 and 10, and are waited for at the next one: of the
// first, workers 0 and 2 see 2 s and 1 s; of the second nobody sees anything.
TEST(Simulated, StragglersOfAnOverlappedMean) {
  Stragglers run;
  std::unique_ptr<Exchange> in_flight;
  run.expect_clocks({{{1, 1, 1}, {2, 5, 2}, {3, 6, 3}, {6, 7, 6}, {9, 8, 7}, {10, 9, 8}}},
                    [&](int step) {
                      if (step % 2 != 0) return;
                      if (in_flight) in_flight->wait();
                      in_flight = run.field.mean();
                    });
  EXPECT_NEAR(run.field.comm.exposed_seconds(), 1, kClose);
}

// Computed by hand: worker i waits for worker i - 1 alone.
TEST(Simulated, StragglersInARing) {
  Stragglers run;
  run.expect_clocks({{{1.5, 1.5, 1.5},
                      {3, 5.5, 6},
                      {7.5, 6.5, 7},
                      {9.5, 9, 9},
                      {12.5, 13, 10.5},
                      {13.5, 14, 14.5}}},
                    [&](int) { run.field.mix(directed_ring_mixing(3))->wait(); });
}

// A straggler in a ring delays its neighbours alone.
TEST(Simulated, GossipSpreadsADelayByOneHopAStep) {
  Field field(8, "constant(1 s)", "factors([5])");
  field.comm.compute(1);
  field.mix(ring_mixing(8))->wait();
  const double t = 0.01 + 2;
  for (int worker : {1, 7}) EXPECT_NEAR(field.comm.clock(worker), 5 + t, kClose) << worker;
  EXPECT_NEAR(field.comm.clock(0), 5, kClose) << "its neighbours' rows came while it computed";
  for (int worker : {2, 3, 4, 5, 6}) EXPECT_NEAR(field.comm.clock(worker), 1 + t, kClose) << worker;
}

TEST(Simulated, ALinkServesOneExchangeAfterTheOther) {
  Field field(2);
  const double t = 2 * (0.01 + 0.5);
  const auto first = field.mean(), second = field.mean();
  second->wait();
  EXPECT_NEAR(field.comm.seconds(), 2 * t, kClose);
  first->wait();
  EXPECT_NEAR(field.comm.seconds(), 2 * t, kClose);
}

}  // namespace
}  // namespace entrain
