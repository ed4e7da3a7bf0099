#include <gtest/gtest.h>

#include "conformance/engine.h"
#include "entrain/comm/simulated.h"

// What strategies cost on a simulated network, in closed form, and that it changes no bit of them.
namespace entrain {
namespace {

constexpr int kWorkers = 4, kLayers = 4, kItems = 96;  // layers of 24 doubles: without padding
constexpr double kBytes = 8.0 * kItems;
constexpr double kLatency = 0.01, kRate = 1000;

ComputeTime compute_time(const std::string& text) {
  return build(compute_time_choices(), parse_value(text), "compute time", {});
}

Straggler straggler(const std::string& text) {
  return build(straggler_choices(), parse_value(text), "straggler", {});
}

// A strategy on workers whose steps take 1 s, on links of kLatency and kRate.
struct OnNetwork {
  std::unique_ptr<Communicator> local = local_communicator(kWorkers);
  Simulated clock;
  Engine engine;

  OnNetwork(const std::string& strategy, const Network& network, const std::string& compute,
            const std::string& slow)
      : clock(*local, network, compute_time(compute), straggler(slow), 1),
        engine({kWorkers, kItems}, {0.05, 0.9, 0, false}, strategy, &clock, {}, kLayers) {}
  explicit OnNetwork(const std::string& strategy, double rate = kRate)
      : OnNetwork(strategy, {.link = {kLatency, rate}}, "constant(1 s)", "none") {}

  OnNetwork& run(int steps) {
    for (int step = 1; step <= steps; ++step) {
      clock.compute(step);
      engine.step();
    }
    return *this;
  }
};

double mean_over(int n, double bytes = kBytes, double rate = kRate) {
  return 2 * (n - 1) * (kLatency + bytes / n / rate);
}

void expect_close(double value, double expected) {
  EXPECT_NEAR(value / expected, 1, 1e-9) << value << " where " << expected << " is expected";
}

TEST(OnANetwork, SynchronousAndLocalSgdTakeTheirClosedForms_3_2) {
  const double t = mean_over(kWorkers);
  expect_close(OnNetwork("synchronous").run(24).clock.seconds(), 24 * (1 + t));
  for (const int h : {1, 2, 8}) {
    OnNetwork local(fmt::format("local_sgd({})", h));
    expect_close(local.run(24).clock.seconds(), 24 + 24.0 / h * t);
    expect_close(local.clock.exposed_seconds(), 24.0 / h * t);
  }
}

// The last of a round's launches is in flight at the end; each of the others shows max(0, t - h).
TEST(OnANetwork, OverlappedRoundsTakeTheLongerOfComputingAndSending_3_2) {
  for (const double rate : {100.0, 1000.0}) {
    const double t = mean_over(kWorkers, kBytes, rate);
    for (const int h : {1, 2, 8}) {
      for (const char* strategy : {"overlap_local_sgd({})", "cocod({})"}) {
        OnNetwork overlap(fmt::format(fmt::runtime(strategy), h), rate);
        const double rounds = 24.0 / h - 1;
        expect_close(overlap.run(24).clock.seconds(), 24 + rounds * std::max(0.0, t - h));
        expect_close(overlap.clock.hidden_seconds() + overlap.clock.exposed_seconds(), rounds * t);
      }
    }
  }
}

// Gossip-PGA: gossip, and every h steps a mean in its place; d is the degree.
TEST(OnANetwork, GossipTakesItsClosedForms_5_4) {
  const double t = mean_over(kWorkers);
  for (const auto& [topology, d] : {std::pair{"ring", 2},
                                    {"directed_ring", 1},
                                    {"one_peer_exponential", 1},
                                    {"fully_connected", 3}}) {
    const double gossip = kLatency + d * kBytes / kRate;
    expect_close(OnNetwork(fmt::format("gossip({})", topology)).run(24).clock.seconds(),
                 24 * (1 + gossip));
    expect_close(OnNetwork(fmt::format("gossip_pga({}, 6)", topology)).run(24).clock.seconds(),
                 24 + 20 * gossip + 4 * t);
    expect_close(OnNetwork(fmt::format("gossip_awc({})", topology)).run(24).clock.seconds(),
                 24 + 23 * std::max(0.0, gossip - 1));
  }
}

TEST(OnANetwork, HierarchicalAveragingTakesItsClosedForm) {
  expect_close(OnNetwork("hierarchical(2, 2, 8)").run(24).clock.seconds(),
               24 + (12 - 3) * mean_over(2) + 3 * mean_over(kWorkers));
}

// Two fragments, each launched every 8 steps, 4 after the other, and met tau steps later: at 6, 10,
// 14, 18 and 22.
TEST(OnANetwork, StreamingDiLoCoShowsWhatIsLongerThanItsDelay) {
  for (const double rate : {200.0, 10'000.0}) {
    const double t = mean_over(kWorkers, kBytes / 2, rate);
    OnNetwork exact("streaming_diloco(8, 2, 2, 0.5, codec=exact)", rate);
    expect_close(exact.run(24).clock.seconds(), 24 + 5 * std::max(0.0, t - 2));

    // Codes of 4 bits where these were of 64, over a slower link.
    OnNetwork coded("streaming_diloco(8, 2, 2, 0.5)", rate / 12);
    coded.run(24);
    const double sent = coded.engine.metered().bytes_sent_per_worker() / 6;  // in a launch
    const double message = sent / (2.0 * (kWorkers - 1) / kWorkers);
    const double t_coded = mean_over(kWorkers, message, rate / 12);
    EXPECT_LT(message, kBytes / 2 / 8);
    EXPECT_EQ(t_coded > 2, rate == 200);
    expect_close(coded.clock.seconds(), 24 + 5 * std::max(0.0, t_coded - 2));
  }
}

TEST(OnANetwork, WorkersOfUnequalSpeedWaitForTheSlowest) {
  const Network network = {.link = {kLatency, kRate}};
  const std::string factors = "factors([1, 2.5, 1, 0.5])";
  const double t = mean_over(kWorkers);
  OnNetwork local("local_sgd(8)", network, "constant(1 s)", factors);
  expect_close(local.run(24).clock.seconds(), 24 * 2.5 + 3 * t);
  expect_close(local.clock.compute_seconds(), 24 * 5.0 / 4);
  OnNetwork overlap("overlap_local_sgd(8)", network, "constant(1 s)", factors);
  expect_close(overlap.run(24).clock.seconds(), 24 * 2.5);
  EXPECT_NEAR(overlap.clock.clock(1), 60, 1e-9) << "the slowest waits for nobody";
}

// Everything at once, in each medium.
TEST(OnANetwork, NoBitDependsOnTheNetwork) {
  for (const char* medium : {"switched", "uplink(16 kbit/s)", "shared"}) {
    Network network = {.link = {kLatency, kRate}};
    network.between =
        parse_links("[link(0, 1, 1 kbit/s, 1 s), link(2, 3, latency=0 s)]", network.link, kWorkers);
    network.medium = build(medium_choices(), parse_value(medium), "medium", {});
    network.loss = build(loss_choices(), parse_value("bursty(5, 5, 0.5)"), "loss", {});
    for (const char* strategy :
         {"synchronous", "local_sgd(3)", "overlap_local_sgd(4)", "cocod(3)", "slowmo(4)",
          "hierarchical(2, 2, 6)", "gossip(ring)", "gossip_awc(static_exponential)",
          "gossip_pga(one_peer_exponential, 5)", "gossip_aga(ring, 3, 9)",
          "streaming_diloco(6, 2, 2, 0.5)", "powersgd(1)", "qsgd"}) {
      SCOPED_TRACE(fmt::format("{} on {}", strategy, medium));
      OnNetwork simulated(strategy, network, "exponential(1 s)", "slow(0.2, 5)");
      Engine plain({kWorkers, kItems}, {0.05, 0.9, 0, false}, strategy, nullptr, {}, kLayers);
      simulated.run(30);
      plain.run(30);
      EXPECT_EQ(simulated.engine.deviation(plain), 0);
      EXPECT_GT(simulated.clock.seconds(), 10);
      OnNetwork again(strategy, network, "exponential(1 s)", "slow(0.2, 5)");
      EXPECT_EQ(again.run(30).clock.seconds(), simulated.clock.seconds());
    }
  }
}

}  // namespace
}  // namespace entrain
