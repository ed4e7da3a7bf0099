#include "entrain/comm/simulated.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "entrain/comm/local.h"
#include "entrain/core/test_folder.h"
#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

ComputeTime compute_named(const std::string& text) {
  return build(compute_time_choices(), parse_value(text), "compute time", {});
}

Straggler straggler_named(const std::string& text) {
  return build(straggler_choices(), parse_value(text), "straggler", {});
}

// n workers on links of 1,000 bytes a second and 0.01 s.
struct Field {
  std::unique_ptr<Communicator> local;
  Simulated comm;
  at::Tensor rows;

  explicit Field(int n, const std::string& compute = "constant(1 s)",
                 const std::string& straggler = "none",
                 const Network& network = {.link = {0.01, 1000}})
      : local(local_communicator(n)),
        comm(*local, network, compute_named(compute), straggler_named(straggler), 1),
        rows(at::ones({n, 250})) {}  // 1,000 bytes

  std::unique_ptr<Exchange> mean() {
    results.push_back(at::empty({1, 250}));
    return comm.launch_mean(rows, results.back());
  }
  std::unique_ptr<Exchange> mix(const Mixing& mixing) {
    results.push_back(at::empty_like(rows));
    return comm.launch_mix(rows, results.back(), std::make_shared<const Mixing>(mixing));
  }
  std::vector<at::Tensor> results;
};

Mixing ring_mixing(int n) {
  Mixing mixing;
  for (int i = 0; i < n; ++i) {
    mixing.rows.push_back({{i, 0.5}, {(i + 1) % n, 0.25}, {(i + n - 1) % n, 0.25}});
  }
  return mixing;
}

constexpr double kClose = 1e-9;

TEST(Network, ClosedForms) {
  const Network ring{.link = {0.01, 1000}};
  EXPECT_NEAR(ring.mean_seconds(0, 4, 1000), 2 * 3 * (0.01 + 0.25), kClose);
  EXPECT_EQ(ring.mean_seconds(0, 1, 1000), 0);
  const Network halving{.link = {0.01, 1000}, .collective = Network::Collective::halving_doubling};
  EXPECT_NEAR(halving.mean_seconds(0, 5, 1000), 2 * 3 * 0.01 + 2 * 0.8, kClose);
  const Network tree{.link = {0.01, 1000}, .collective = Network::Collective::tree};
  EXPECT_NEAR(tree.mean_seconds(0, 8, 1000), 2 * 3 * (0.01 + 1), kClose);
  EXPECT_NEAR(ring.neighbour_seconds(2, 1000), 0.01 + 2, kClose);
  Network slow = ring;
  slow.between[{2, 3}] = {0.5, 100};
  EXPECT_NEAR(slow.mean_seconds(0, 4, 1000), 2 * 3 * (0.5 + 2.5), kClose) << "the slowest link";
  EXPECT_NEAR(slow.mean_seconds(0, 2, 1000), 2 * (0.01 + 0.5), kClose) << "in another group";
}

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

TEST(ComputeTime, DistributionsHaveTheirMeans) {
  const auto mean = [](const std::string& text) {
    const ComputeTime time = compute_named(text);
    double sum = 0;
    for (std::int64_t step = 1; step <= 40'000; ++step) sum += time.seconds(1, 3, step);
    return sum / 40'000;
  };
  EXPECT_NEAR(mean("constant(20 ms)"), 0.02, 1e-12);
  EXPECT_NEAR(mean("exponential(20 ms)"), 0.02, 0.0005);
  EXPECT_NEAR(mean("shifted_exponential(10 ms, 5 ms)"), 0.015, 0.0005);
  EXPECT_NEAR(mean("pareto(10 ms, 3)"), 0.015, 0.0005);
  const Straggler slow = straggler_named("slow(probability=0.1, factor=5)");
  double factors = 0;
  for (std::int64_t step = 1; step <= 40'000; ++step) factors += slow.factor(1, 3, step);
  EXPECT_NEAR(factors / 40'000, 1.4, 0.05);
}

TEST(Network, RefusesNonsenseWithTheText) {
  EXPECT_EQ(parse_bandwidth("100 Mbit/s"), 12.5e6);
  EXPECT_EQ(parse_bandwidth("1 Gbit/s"), 125e6);
  EXPECT_EQ(parse_seconds("20 ms"), 0.02);
  EXPECT_NE(refusal_of([] { parse_bandwidth("-1 Gbit/s"); }).find("'-1 Gbit/s'"),
            std::string::npos);
  EXPECT_NE(refusal_of([] { parse_bandwidth("100"); }).find("'100'"), std::string::npos);
  EXPECT_NE(refusal_of([] { parse_seconds("20 miles"); }).find("'20 miles'"), std::string::npos);
  EXPECT_NE(refusal_of([] { compute_named("gamma(1 s)"); }).find("gamma"), std::string::npos);
  EXPECT_NE(refusal_of([] { compute_named("pareto(1 s, -2)"); }).find("shape"), std::string::npos);
  EXPECT_NE(refusal_of([] { straggler_named("slow(2, 5)"); }).find("probability"),
            std::string::npos);
  const TestFolder folder;
  std::ofstream(folder / "t.txt") << "1 1\n1 x\n";
  const std::string trace = (folder / "t.txt").string();
  EXPECT_NE(
      refusal_of([&] { compute_named(fmt::format("trace(\"{}\")", trace)); }).find(trace + ":2"),
      std::string::npos);
}

}  // namespace
}  // namespace entrain
