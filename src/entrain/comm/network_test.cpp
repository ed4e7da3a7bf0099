#include "entrain/comm/network.h"

#include <gtest/gtest.h>

#include "entrain/comm/test_simulated.h"
#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

TEST(Network, ClosedForms) {
  const Network ring{.link = {0.01, 1000}};
  EXPECT_NEAR(ring.mean_seconds(0, 4, 1000), 2 * 3 * (0.01 + 0.25), kClose);
  EXPECT_EQ(ring.mean_seconds(0, 1, 1000), 0);
  const Network direct{.link = {0.01, 1000}, .collective = Network::Collective::direct};
  EXPECT_NEAR(direct.mean_seconds(0, 4, 1000), 3 * 0.01 + 2 * 0.75, kClose);
  EXPECT_EQ(direct.mean_seconds(0, 1, 1000), 0);
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

TEST(Network, TextsAreInUnits) {
  EXPECT_EQ(parse_bandwidth("100 Mbit/s"), 12.5e6);
  EXPECT_EQ(parse_bandwidth("1 Gbit/s"), 125e6);
  EXPECT_EQ(parse_seconds("20 ms"), 0.02);
  EXPECT_EQ(parse_latency("20 ms"), 0.02);
  EXPECT_EQ(parse_latency("0 ms"), 0);
}

TEST(Network, RefusesNonsenseWithTheText) {
  for (const char* text : {"-1 Gbit/s", "0 bit/s", "100", "1e300 Gbit/s", "20 ms"}) {
    EXPECT_NE(refusal_of([&] { parse_bandwidth(text); }).find(fmt::format("'{}'", text)),
              std::string::npos);
  }
  for (const char* text : {"20 miles", "-1 ms", "0 s"}) {
    EXPECT_NE(refusal_of([&] { parse_seconds(text); }).find(fmt::format("'{}'", text)),
              std::string::npos);
  }
  EXPECT_NE(refusal_of([] { parse_latency("-1 ms"); }).find("'-1 ms'"), std::string::npos);
}

TEST(Network, LinksOfPairs) {
  const Link others = {0.01, 1000};
  const auto between = parse_links(
      "[link(0, 2, 8 kbit/s, 50 ms), link(1, 2, latency=1 s, one_way=true)]", others, 3);
  ASSERT_EQ(between.size(), 3u);
  for (const std::pair<int, int>& way : {std::pair{0, 2}, {2, 0}}) {
    EXPECT_EQ(between.at(way).bandwidth, 1000);
    EXPECT_EQ(between.at(way).latency, 0.05);
  }
  EXPECT_EQ(between.at({1, 2}).latency, 1);
  EXPECT_EQ(between.at({1, 2}).bandwidth, others.bandwidth);
  EXPECT_TRUE(parse_links("[]", others, 3).empty());
  // Each way its own link.
  EXPECT_EQ(parse_links("[link(0, 1, one_way=true), link(1, 0, one_way=true)]", others, 2).size(),
            2u);
}

TEST(Network, RefusesLinksThatCannotBe) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[link(0, 3)]", "no worker 3 among 3"},
      {"[link(-1, 0)]", "no worker -1"},
      {"[link(1, 1)]", "worker 1 is linked to itself"},
      {"[link(0, 1, 0 bit/s)]", "'0 bit/s'"},
      {"[link(0, 1, latency=-2 ms)]", "'-2 ms'"},
      {"[link(0, 1), link(1, 0, one_way=true)]", "given twice"},
      {"[lnik(0, 1)]", "did you mean 'link'?"},
      {"link(0, 1)", "must be a list"}};
  for (const auto& [text, message] : cases) {
    const std::string refusal = refusal_of([&] { parse_links(text, {0.01, 1000}, 3); });
    EXPECT_NE(refusal.find(message), std::string::npos) << text << ": " << refusal;
  }
}

// The slowest link that a mean uses: the ring's own, or any.
TEST(Network, OnlyLinksThatAMeanUsesSlowItDown) {
  Network ring{.link = {0.01, 1000}};
  ring.between[{0, 2}] = {0.5, 100};
  EXPECT_NEAR(ring.mean_seconds(0, 4, 1000), 2 * 3 * (0.01 + 0.25), kClose) << "not in the ring";
  Network direct = ring;
  direct.collective = Network::Collective::direct;
  EXPECT_NEAR(direct.mean_seconds(0, 4, 1000), 3 * 0.5 + 2 * 7.5, kClose) << "all to all";
  Network tree = ring;
  tree.collective = Network::Collective::tree;
  EXPECT_NEAR(tree.mean_seconds(0, 4, 1000), 2 * 2 * (0.5 + 10), kClose);
  EXPECT_NEAR(tree.mean_seconds(0, 2, 1000), 2 * (0.01 + 1), kClose) << "another group";
  EXPECT_NEAR(tree.mean_seconds(2, 2, 1000), 2 * (0.01 + 1), kClose) << "another group";
  Network fast{.link = {0.01, 1000}};
  fast.between[{2, 3}] = fast.between[{3, 2}] = {0.001, 10'000};
  EXPECT_NEAR(fast.mean_seconds(2, 2, 1000), 2 * (0.001 + 0.05), kClose) << "all that it uses";
  EXPECT_NEAR(fast.mean_seconds(0, 4, 1000), 2 * 3 * (0.01 + 0.25), kClose);
}

// However a mean is made, its messages have 2 (n-1) d bytes together.
TEST(Network, AMeanAsMessages) {
  const double n = 5, d = 1000;
  using Collective = Network::Collective;
  const std::vector<std::pair<Collective, double>> counts = {
      {Collective::ring, 2 * n * (n - 1)},
      {Collective::direct, 2 * n * (n - 1)},
      {Collective::halving_doubling, 2 * n * 3},
      {Collective::tree, 2 * (n - 1)}};
  for (const auto& [collective, count] : counts) {
    const Network network{.link = {0.01, 1000}, .collective = collective};
    const auto messages = network.mean_messages(0, 5, d);
    EXPECT_EQ(messages.count, count);
    EXPECT_EQ(messages.bytes, 2 * (n - 1) * d);
    EXPECT_NEAR(messages.serial_seconds(), count * 0.01 + 2 * (n - 1) * d / 1000, kClose);
    EXPECT_NEAR(messages.again_seconds(), 0.02 + messages.bytes / count / 1000, kClose);
  }
}

TEST(Network, RefusesMediaAndLossThatCannotBe) {
  const auto medium = [](const std::string& text) {
    build(medium_choices(), parse_value(text), "medium", {});
  };
  const auto loss = [](const std::string& text) {
    build(loss_choices(), parse_value(text), "loss", {});
  };
  EXPECT_NE(refusal_of([&] { medium("shred"); }).find("did you mean 'shared'?"), std::string::npos);
  EXPECT_NE(refusal_of([&] { medium("uplink(-1 Gbit/s)"); }).find("'-1 Gbit/s'"),
            std::string::npos);
  EXPECT_NE(refusal_of([&] { medium("uplink"); }).find("capacity"), std::string::npos);
  EXPECT_NE(refusal_of([&] { loss("busty(1, 1, 1)"); }).find("'bursty'"), std::string::npos);
  for (const char* text : {"bursty(50, 5, 1.5)", "bursty(50, 5, -0.1)", "bursty(0.5, 5, 1)",
                           "bursty(50, 0, 1)", "bursty(50, 1e6, 1)"}) {
    const std::string refusal = refusal_of([&] { loss(text); });
    EXPECT_NE(refusal.find("bursty(good="), std::string::npos) << refusal;
  }
}

}  // namespace
}  // namespace entrain
