#include "entrain/train/simulated_network.h"

#include <gtest/gtest.h>

#include <fstream>

#include "entrain/config/describe.h"
#include "entrain/config/network_presets.h"
#include "entrain/core/test_folder.h"
#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

constexpr int kSimulatedWorkers = 4;

// A file whose line 1 is [network], and what follows.
struct NetworkFile {
  TestFolder folder;
  std::string path = (folder / "run.toml").string();

  explicit NetworkFile(const std::string& lines) {
    std::ofstream(path) << "[network]\n" << lines << "\n";
  }
  Resolved resolved(const std::vector<std::string>& overrides = {}) const {
    return resolve(path, overrides, {});
  }
  std::optional<SimulatedNetwork> network(const std::vector<std::string>& overrides = {}) const {
    return simulated_network(resolved(overrides), {}, {.workers = kSimulatedWorkers, .steps = 20});
  }
};

TEST(SimulatedNetwork, IsNotThereUnlessItIsAskedFor) {
  EXPECT_FALSE(NetworkFile("").network());
  EXPECT_FALSE(NetworkFile("straggler = 'none'\npreset = 'none'").network());
}

TEST(SimulatedNetwork, IsWhatTheSettingsSay) {
  const auto built = NetworkFile(
                         "bandwidth = '8 Mbit/s'\nlatency = '0 ms'\ncollective = 'tree'\n"
                         "links = '[link(1, 3, latency=1 s)]'\nmedium = 'uplink(80 Mbit/s)'\n"
                         "loss = 'bursty(good=30, bad=3, loss=0.25)'\ncompute = 'constant(2 s)'\n"
                         "straggler = 'factors([1, 3])'")
                         .network();
  ASSERT_TRUE(built);
  const Network& network = built->network;
  EXPECT_EQ(network.link.bandwidth, 1e6);
  EXPECT_EQ(network.link.latency, 0);
  EXPECT_EQ(network.collective, Network::Collective::tree);
  EXPECT_EQ(network.from_to(1, 3).latency, 1);
  EXPECT_EQ(network.from_to(3, 1).bandwidth, 1e6);
  EXPECT_EQ(network.from_to(0, 1).latency, 0);
  EXPECT_EQ(network.medium.kind, Medium::Kind::uplink);
  EXPECT_EQ(network.medium.capacity, 1e7);
  EXPECT_EQ(network.loss.good, 30);
  EXPECT_EQ(network.loss.bad, 3);
  EXPECT_EQ(network.loss.probability, 0.25);
  EXPECT_EQ(built->compute.seconds(1, 0, 1), 2);
  EXPECT_EQ(built->straggler.factor(1, 1, 1), 3);
}

TEST(SimulatedNetwork, APresetFillsInWhatIsNotGiven) {
  const NetworkFile file("preset = 'wireless'\nlatency = '9 ms'");
  const Network network = file.network({"network.loss=none"})->network;
  EXPECT_EQ(network.link.bandwidth, parse_bandwidth("20 Mbit/s"));
  EXPECT_EQ(network.link.latency, parse_seconds("9 ms"));
  EXPECT_EQ(network.medium.kind, Medium::Kind::shared);
  EXPECT_EQ(network.loss.probability, 0);
  EXPECT_EQ(file.resolved().origin("network.medium"),
            fmt::format("network.preset = wireless ({}:2)", file.path));
}

TEST(SimulatedNetwork, ARunFromItsOwnConfigurationIsTheSame) {
  const Resolved given = NetworkFile("preset = 'wireless'\nlatency = '9 ms'").resolved();
  const TestFolder folder;
  std::ofstream(folder / "run.toml") << to_toml(given);
  EXPECT_EQ(resolve(folder / "run.toml", {}, {}).values, given.values);
}

TEST(SimulatedNetwork, EveryPresetCanBeBuilt) {
  for (const std::string& name : network_preset_names()) {
    const auto built = NetworkFile(fmt::format("preset = '{}'", name)).network();
    EXPECT_EQ(built.has_value(), name != "none") << name;
  }
}

TEST(SimulatedNetwork, IsRefusedWithFileLineAndText) {
  const TestFolder folder;
  const std::string trace = (folder / "trace.txt").string();
  std::ofstream(trace) << "1 1 1 1\n1 1 1 1\n";
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"bandwidth = '-1 Gbit/s'", {":3: network.bandwidth: '-1 Gbit/s'"}},
      {"bandwidth = '0 bit/s'", {":3: network.bandwidth: '0 bit/s'"}},
      {"latency = '-1 ms'", {":3: network.latency: '-1 ms'"}},
      {"links = '[link(0, 4)]'", {":3: network.links:", "no worker 4 among 4"}},
      {"links = '[link(2, 2)]'", {":3: network.links:", "worker 2 is linked to itself"}},
      {"medium = 'shred'", {":3: network.medium:", "did you mean 'shared'?"}},
      {"loss = 'bursty(50, 5, 2)'", {":3: network.loss:", "loss=2", "from 0 to 1"}},
      {"compute = 'constnat(1 s)'", {":3: network.compute:", "did you mean 'constant'?"}},
      {"straggler = 'slow(1.5, 5)'", {":3: network.straggler:", "probability"}},
      {fmt::format("compute = 'trace(\"{}\")'", trace),
       {":3: network.compute: " + trace, "ends after step 2, where the run has 20 steps"}}};
  for (const auto& [line, message] : cases) {
    const bool bandwidth = line.starts_with("bandwidth");
    const NetworkFile file((bandwidth ? "\n" : "bandwidth = '1 Gbit/s'\n") + line);
    const std::string refusal = refusal_of([&, &line = line] { file.network(); });
    for (const std::string& part : message) {
      EXPECT_NE(refusal.find(part), std::string::npos) << part << " is not in: " << refusal;
    }
  }
  const NetworkFile alone("medium = 'shared'");
  EXPECT_EQ(refusal_of([&] { alone.network(); }).find(alone.path + ":2: network.medium: "), 0u);
  const NetworkFile unknown("preset = 'wirless'");
  EXPECT_NE(refusal_of([&] { unknown.network(); }).find("did you mean 'wireless'?"),
            std::string::npos);
}

TEST(SimulatedNetwork, NeedsAllWorkersInOneProcess) {
  const NetworkFile file("bandwidth = '1 Gbit/s'");
  Place two;
  two.size = 2;
  EXPECT_NE(refusal_of([&] {
              simulated_network(file.resolved(), two, {.workers = 4});
            }).find("all workers in one process"),
            std::string::npos);
}

}  // namespace
}  // namespace entrain
