#include "entrain/comm/traffic.h"

#include <gtest/gtest.h>

#include "entrain/comm/test_simulated.h"

namespace entrain {
namespace {

using Clocks = std::vector<double>;

constexpr double kBytes = 1000;
const Network kNetwork = {.link = {0.01, 1000}};

Network with_medium(const std::string& text, Network network = kNetwork) {
  network.medium = build(medium_choices(), parse_value(text), "medium", {});
  return network;
}

Network with_loss(const std::string& text, Network network = kNetwork) {
  network.loss = build(loss_choices(), parse_value(text), "loss", {});
  return network;
}

void expect_ends(const Traffic::Times& times, const Clocks& ends) {
  ASSERT_EQ(times.ends.size(), ends.size());
  for (std::size_t i = 0; i < ends.size(); ++i) EXPECT_NEAR(times.ends[i], ends[i], kClose) << i;
}

double last(const Traffic::Times& times) {
  return *std::max_element(times.ends.begin(), times.ends.end());
}

TEST(Traffic, AMeanOnASharedMediumIsTheSumOverItsMessages) {
  using Collective = Network::Collective;
  const std::vector<std::pair<Collective, double>> seconds = {
      {Collective::ring, 2 * 4 * 3 * (0.01 + 0.25)},
      {Collective::direct, 2 * 4 * 3 * (0.01 + 0.25)},
      {Collective::halving_doubling, 2 * 4 * 2 * 0.01 + 2 * 3 * 1.0},
      {Collective::tree, 2 * 3 * (0.01 + 1)}};
  for (const auto& [collective, t] : seconds) {
    Network network = with_medium("shared");
    network.collective = collective;
    Traffic traffic(network, 4, 1);
    expect_ends(traffic.mean({0, 0, 0, 5}, 4, kBytes), Clocks(4, 5 + t));
    expect_ends(traffic.mean({6, 6, 6, 6}, 4, kBytes), Clocks(4, 5 + 2 * t));
  }
}

// 2 (n-1) d bytes in all.
TEST(Traffic, AMeanThroughAnUplinkTakesTheLongerOfTheTwo) {
  const double own = 2 * 3 * (0.01 + 0.25);
  Traffic narrow(with_medium("uplink(4 kbit/s)"), 4, 1);
  expect_ends(narrow.mean(Clocks(4), 4, kBytes), Clocks(4, 6 * kBytes / 500));
  Traffic wide(with_medium("uplink(80 kbit/s)"), 4, 1);
  expect_ends(wide.mean(Clocks(4), 4, kBytes), Clocks(4, own));
}

// Two groups of two, 2 d bytes each: the one that is ready first goes first.
TEST(Traffic, GroupsQueueForAMedium) {
  Traffic shared(with_medium("shared"), 4, 1);
  const double t = 4 * (0.01 + 0.5);
  expect_ends(shared.mean({1, 1, 0, 0}, 2, kBytes), {2 * t, 2 * t, t, t});
  Traffic uplink(with_medium("uplink(4 kbit/s)"), 4, 1);
  expect_ends(uplink.mean({1, 1, 0, 0}, 2, kBytes), {8, 8, 4, 4});
}

TEST(Traffic, NeighboursOnASharedMediumTakeTurns) {
  Traffic traffic(with_medium("shared"), 4, 1);
  const double t = 0.01 + 1;
  // Directed ring: worker 0's message of worker 3 first, and so on; all are ready at 2.
  expect_ends(traffic.mix(Clocks(4, 2), directed_ring_mixing(4), kBytes),
              {2 + t, 2 + 2 * t, 2 + 3 * t, 2 + 4 * t});
  Traffic ring(with_medium("shared"), 6, 1);
  EXPECT_NEAR(last(ring.mix(Clocks(6), ring_mixing(6), kBytes)), 12 * t, kClose)
      << "the sum over all messages";
}

TEST(Traffic, NeighboursThroughAnUplinkTakeTheLongerOfTheTwo) {
  Traffic narrow(with_medium("uplink(4 kbit/s)"), 6, 1);
  EXPECT_NEAR(last(narrow.mix(Clocks(6), ring_mixing(6), kBytes)), 12 * kBytes / 500, kClose);
  Traffic wide(with_medium("uplink(1 Gbit/s)"), 6, 1);
  expect_ends(wide.mix(Clocks(6), ring_mixing(6), kBytes), Clocks(6, 0.01 + 2));
}

// A straggler's message does not hold the medium before it is sent, though its exchange came first.
TEST(Traffic, AMediumIsFreeUntilAStragglerSends) {
  Traffic traffic(with_medium("shared"), 4, 1);
  const double t = 0.01 + 1;
  Mixing to_1, to_3;  // from worker 0, from worker 2
  to_1.rows = {{{0, 1}}, {{0, 0.5}, {1, 0.5}}, {{2, 1}}, {{3, 1}}};
  to_3.rows = {{{0, 1}}, {{1, 1}}, {{2, 1}}, {{2, 0.5}, {3, 0.5}}};
  expect_ends(traffic.mix({10, 0, 0, 0}, to_1, kBytes), {10, 10 + t, 0, 0});
  expect_ends(traffic.mix({10, 10, 9.5, 0}, to_3, kBytes), {10, 10 + t, 9.5, 9.5 + 2 * t});
}

TEST(Traffic, LinksOfPairsCountForTheirMessagesAlone) {
  Network network = kNetwork;
  network.between = parse_links("[link(0, 1, 4 kbit/s, 3 s)]", network.link, 4);
  Traffic traffic(network, 4, 1);
  // Two messages each over a worker's own link, at the rates of their ways: 1 + 2 s for 0 and 1.
  expect_ends(traffic.mix(Clocks(4), ring_mixing(4), kBytes), {6, 6, 2.01, 2.01});
  Traffic ring(network, 4, 1);
  expect_ends(ring.mean(Clocks(4), 4, kBytes), Clocks(4, 6 * (3 + 0.5)));
  Traffic shared(with_medium("shared", network), 4, 1);
  EXPECT_NEAR(last(shared.mix(Clocks(4), ring_mixing(4), kBytes)), 6 * 1.01 + 2 * 5, kClose);
}

// Links that are all alike, each given by itself, are those that are given once.
TEST(Traffic, LinksGivenOneByOneAreTheSame) {
  Network each = kNetwork;
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) {
      if (i != j) each.between[{i, j}] = kNetwork.link;
    }
  }
  Traffic one(kNetwork, 6, 1), other(each, 6, 1);
  const Clocks clocks = {0, 5, 1, 2, 8, 1};
  expect_ends(other.mix(clocks, ring_mixing(6), kBytes),
              one.mix(clocks, ring_mixing(6), kBytes).ends);
  expect_ends(other.mean(clocks, 3, kBytes), one.mean(clocks, 3, kBytes).ends);
}

TEST(Traffic, LossWithProbabilityZeroIsNone) {
  for (const char* medium : {"switched", "uplink(4 kbit/s)", "shared"}) {
    Traffic none(with_medium(medium), 4, 1);
    Traffic never(with_loss("bursty(1, 100, 0)", with_medium(medium)), 4, 1);
    EXPECT_EQ(never.mean(Clocks(4), 4, kBytes).ends, none.mean(Clocks(4), 4, kBytes).ends);
    EXPECT_EQ(never.mix(Clocks(4, 90), ring_mixing(4), kBytes).ends,
              none.mix(Clocks(4, 90), ring_mixing(4), kBytes).ends);
  }
}

// Every message is lost q / (1 - q) times on average, each time for 2 latency + d / bandwidth. On a
// shared medium they add up.
TEST(Traffic, LossDelaysByItsMean) {
  constexpr int rounds = 20'000;
  const double q = 0.5 * 5 / 55, again = (0.02 + 1) * q / (1 - q);
  Traffic switched(with_loss("bursty(50, 5, 0.5)"), 4, 1);
  double late = 0;
  for (int round = 0; round < rounds; ++round) {
    const double now = 1e3 * round;
    for (const double end : switched.mix(Clocks(4, now), directed_ring_mixing(4), kBytes).ends) {
      late += end - now - 1.01;
    }
  }
  EXPECT_NEAR(late / rounds / 4 / again, 1, 0.05);

  Traffic shared(with_loss("bursty(50, 5, 0.5)", with_medium("shared")), 4, 1);
  const double sum = 24 * (0.01 + 0.25), repeat = 24 * (0.02 + 0.25) * q / (1 - q);
  late = 0;
  for (int round = 0; round < rounds / 4; ++round) {
    const double now = 1e3 * round;
    late += last(shared.mean(Clocks(4, now), 4, kBytes)) - now - sum;
  }
  EXPECT_NEAR(late / (rounds / 4) / repeat, 1, 0.05);
}

TEST(Traffic, LossIsAFunctionOfTheSeed) {
  const Network network = with_loss("bursty(5, 5, 0.5)");
  const auto ends = [&](std::uint64_t seed) {
    Traffic traffic(network, 4, seed);
    Clocks all;
    for (int round = 0; round < 50; ++round) {
      const Clocks clocks(4, 1e3 * round);
      for (const double end : traffic.mix(clocks, ring_mixing(4), kBytes).ends) all.push_back(end);
      all.push_back(last(traffic.mean(clocks, 4, kBytes)));
    }
    return all;
  };
  EXPECT_EQ(ends(1), ends(1));
  EXPECT_NE(ends(1), ends(2));
}

}  // namespace
}  // namespace entrain
