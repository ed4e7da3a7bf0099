// What `bench` measures between processes is sane.

#include <cmath>
#include <nlohmann/json.hpp>

#include "process/command.h"

namespace entrain {
namespace {

using Json = nlohmann::json;

class BenchStrategy : public ProcessTest {
 protected:
  static constexpr double kParameters = 784 * 16 + 16 + 16 * 10 + 10;

  Outcome launch(const std::string& peer, const Words& strategies) {
    return run(join({"launch", "-n", "2", "--no-prefix", "--", "bench", "strategy", "--seconds",
                     "0.1", "--repeats", "1", "--models", "mlp(hidden=[16])", "--peer", peer,
                     "--json", "--strategies"},
                    strategies));
  }

  std::map<std::string, Json> lines(const std::string& peer, const Words& strategies) {
    const Outcome outcome = launch(peer, strategies);
    expect_exit(outcome, 0);
    const Json all = Json::parse(outcome.out, nullptr, false);
    std::map<std::string, Json> by_method;
    if (all.is_discarded()) {
      ADD_FAILURE() << outcome;
      return by_method;
    }
    EXPECT_EQ(all.at("processes"), 2);
    for (const Json& line : all.at("lines")) by_method[line.at("method")] = line;
    return by_method;
  }

  static void expect_sane(const Json& line) {
    const double step = line.at("step_seconds"), cpu = line.at("cpu_seconds_per_step");
    EXPECT_GT(step, 0) << line;
    EXPECT_NEAR(line.at("samples_per_second").get<double>() * step, 2 * 64, 1e-6) << line;
    EXPECT_TRUE(std::isfinite(cpu) && cpu >= 0) << line;
    if (line.at("by") != "entrain") return;
    const double exposed = line.at("exposed_seconds_per_step");
    EXPECT_TRUE(exposed >= 0 && exposed <= 1.01 * step) << line;
  }
};

TEST_F(BenchStrategy, EachStrategyBesideNone) {
  const auto all = lines("none", {"none", "synchronous", "local_sgd(4)", "int8: deltas(codec=int8)",
                                  "overlap_local_sgd(2)"});
  EXPECT_EQ(all.size(), 5u);
  for (const auto& [method, line] : all) {
    expect_sane(line);
    EXPECT_EQ(line.at("by"), "entrain");
    EXPECT_GT(line.at("speed_of_no_communication"), 0) << line;
  }
  const auto bytes = [&](const char* method) {
    return all.at(method).at("bytes_sent_per_worker_and_step").get<double>();
  };
  EXPECT_EQ(bytes("no communication"), 0);
  EXPECT_NEAR(bytes("synchronous"), 4 * kParameters, 1024);  // 2 (n-1)/n = 1; rows are padded
  EXPECT_NEAR(bytes("local_sgd(4)"), kParameters, 256);
  EXPECT_NEAR(bytes("int8"), kParameters, 1024);
  EXPECT_EQ(all.at("int8").at("strategy"), "deltas(codec=int8)");
}

TEST_F(BenchStrategy, PyTorchInTheSameRun) {
  const std::string python = "/usr/bin/python3";
  if (std::system((python + " -c 'import torch' >/dev/null 2>&1").c_str()) != 0) {
    FAIL() << python << " has no torch: install python3-torch";
  }
  const auto all = lines(python, {"synchronous", "local_sgd(4)", "overlap_local_sgd(4)"});
  EXPECT_EQ(all.size(), 5u);
  for (const auto& [method, line] : all) expect_sane(line);
  EXPECT_EQ(all.at("ddp").at("by"), "PyTorch");
  EXPECT_EQ(all.at("synchronous").at("peer"), "ddp");
  for (const char* method : {"local_sgd(4)", "overlap_local_sgd(h=4, alpha=0.6, beta=0.7)"}) {
    EXPECT_EQ(all.at(method).at("peer"), "post_local_sgd:4") << method;
    const double ours = all.at(method).at("step_seconds");
    const double theirs = all.at("post_local_sgd:4").at("step_seconds");
    EXPECT_NEAR(all.at(method).at("speed_of_peer").get<double>(), theirs / ours, 1e-9) << method;
  }
}

TEST_F(BenchStrategy, RefusesWhatItCannotMeasure) {
  expect_exit(launch("none", {"gossip_pga(ring, growing)"}), 2, {"growing"});
  expect_exit(launch("none", {"parameters(when=after(4, every(2)))"}), 2,
              {"after(step=4, schedule=every(2))", "has no fixed one"});
  expect_exit(launch("/bin/false", {"synchronous"}), 1, {"--peer /bin/false", "has no torch"});
}

}  // namespace
}  // namespace entrain
