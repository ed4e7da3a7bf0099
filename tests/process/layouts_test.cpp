// The result of a run does not depend on how its workers are spread over processes and threads.

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "entrain/train/safetensors.h"
#include "process/command.h"

namespace entrain {
namespace {

using Json = nlohmann::json;

class Layouts : public ProcessTest {
 protected:
  static inline const Words kCnn = {"workers=8", "train.batch=16", "train.steps=16",
                                    "threads.intra=1"};
  static inline const Words kSoftmax = {"model.name=softmax", "workers=8", "train.batch=16",
                                        "train.steps=48"};
  static inline const Words kReproducible = {"comm.sums=reproducible"};

  // Trains in so many processes, by the launcher if there are several; the summary.
  Json train(int processes, const Words& settings) {
    const std::string out = "run" + std::to_string(++runs_);
    Words words = {"train"};
    if (processes > 1) words = {"launch", "-n", std::to_string(processes), "--", "train"};
    expect_exit(run(join(join(words, settings), {"--out", out})), 0);
    return summary_of(*this / out, processes);
  }

  Json summary_of(const std::filesystem::path& out, int processes) {
    const Json summary = Json::parse(file_content(out / "summary.json"));
    EXPECT_EQ(summary.at("processes"), processes);
    EXPECT_EQ(summary.at("parameters_hash").get<std::string>().size(), 16u);
    EXPECT_EQ(summary.at("wire_bytes_sent").get<std::int64_t>() > 0, processes > 1);
    return summary;
  }

  std::filesystem::path model(int run) const {
    return *this / ("run" + std::to_string(run)) / "model.safetensors";
  }

  // Expects that the layouts agree in parameters and costs; the summary of one process.
  Json expect_one_result(const Words& settings, const std::vector<int>& processes) {
    const Json one = train(1, join(settings, kReproducible));
    for (const int n : processes) {
      SCOPED_TRACE(std::to_string(n) + " processes");
      const Json other = train(n, join(settings, kReproducible));
      for (const char* same : {"parameters_hash", "rounds", "bytes_sent_per_worker", "samples",
                               "evaluation_bytes_sent_per_worker", "test_loss", "test_accuracy"}) {
        EXPECT_EQ(other.at(same), one.at(same)) << same;
      }
    }
    return one;
  }

 private:
  int runs_ = 0;
};

template <class Number>
void add_squares(const at::Tensor& a, const at::Tensor& b, double& difference, double& norm) {
  const Number* x = a.data_ptr<Number>();
  const Number* y = b.data_ptr<Number>();
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    difference += (double(x[i]) - double(y[i])) * (double(x[i]) - double(y[i]));
    norm += double(y[i]) * double(y[i]);
  }
}

// |a - b| / |b| over all tensors of two files.
double deviation(const std::filesystem::path& first, const std::filesystem::path& second) {
  const TensorFile a = load_tensors(first), b = load_tensors(second);
  double difference = 0, norm = 0;
  EXPECT_EQ(a.tensors.size(), b.tensors.size());
  for (std::size_t i = 0; i < b.tensors.size(); ++i) {
    EXPECT_EQ(a.tensors[i].name, b.tensors[i].name);
    const bool single = b.tensors[i].tensor.scalar_type() == at::kFloat;
    (single ? add_squares<float> : add_squares<double>)(a.tensors[i].tensor, b.tensors[i].tensor,
                                                        difference, norm);
  }
  EXPECT_GT(norm, 0);
  return std::sqrt(difference / norm);
}

// The bytes of a worker's row: float32, each tensor filled up to 64 bytes.
double row_bytes(const std::filesystem::path& file) {
  std::int64_t bytes = 0;
  for (const NamedTensor& one : load_tensors(file).tensors) {
    bytes += (one.tensor.numel() + 15) / 16 * 64;
  }
  return static_cast<double>(bytes);
}

TEST_F(Layouts, EightRowsAreFourProcessesOfTwoAndEightOfOne) {
  const Json summary = expect_one_result(kCnn, {4, 8});
  EXPECT_EQ(summary.at("rounds"),
            Json({{"everyone", 2}, {"groups", 0}, {"neighbours", 0}, {"gradients", 0}}));
  EXPECT_EQ(row_bytes(model(1)), 206928 * 4);
  EXPECT_EQ(summary.at("bytes_sent_per_worker"), 2 * 1.75 * 206928 * 4);
  EXPECT_EQ(summary.at("evaluation_bytes_sent_per_worker"), 1.75 * 206928 * 4);
}

// The same parameters and payload with fewer bytes on the wire: of methods that average parameters,
// at once or late, among them some with gradients, and of processes with several workers.
TEST_F(Layouts, LosslessCompressionChangesNoBit) {
  const struct {
    std::string preset;
    int processes;
  } cases[] = {{"local_sgd(2)", 8},
               {"overlap_local_sgd(2)", 4},
               {"post_local_sgd(8, 2)", 4},
               {"slowmo(2)", 4}};
  for (const auto& [preset, processes] : cases) {
    SCOPED_TRACE(preset + " in " + std::to_string(processes) + " processes");
    const Words words = join(join(kCnn, kReproducible), {"strategy.preset=" + preset});
    const Json plain = train(processes, words);
    const Json less = train(processes, join(words, {"comm.compression=lossless"}));
    for (const char* same : {"parameters_hash", "rounds", "bytes_sent_per_worker"}) {
      EXPECT_EQ(less.at(same), plain.at(same)) << same;
    }
    EXPECT_LT(less.at("wire_bytes_sent").get<double>(),
              0.97 * plain.at("wire_bytes_sent").get<double>());
  }
}

TEST_F(Layouts, PostLocal) {
  expect_one_result(join(kCnn, {"strategy.preset=post_local_sgd(8, 4)"}), {4});
}

TEST_F(Layouts, Synchronous) {
  expect_one_result(join(kSoftmax, {"strategy.preset=synchronous"}), {4});
}

TEST_F(Layouts, NumbersThatAreNoPowersOfTwo) {
  expect_one_result({"model.name=softmax", "workers=6", "train.steps=30", "train.batch=16",
                     "strategy.preset=local_sgd(5)"},
                    {2, 3});
}

TEST_F(Layouts, StartedByHandIsTheSame) {
  std::vector<Running> ranks =
      start_ranks({0, 1}, 2, free_port(), join(join(kCnn, kReproducible), {"--out", "hand"}));
  for (const Outcome& outcome : wait_all(ranks)) expect_exit(outcome, 0);
  const Json by_hand = summary_of(*this / "hand", 2), alone = train(1, join(kCnn, kReproducible));
  EXPECT_EQ(by_hand.at("parameters_hash"), alone.at("parameters_hash"));
}

TEST_F(Layouts, TheSameCommandTwice) {
  const Words settings = {"model.name=softmax", "workers=6", "train.steps=30", "train.batch=16"};
  EXPECT_EQ(train(1, kCnn).at("parameters_hash"), train(1, kCnn).at("parameters_hash"));
  EXPECT_EQ(train(2, settings).at("parameters_hash"), train(2, settings).at("parameters_hash"));
}

TEST_F(Layouts, TheSeedMattersAndThreadsDoNot) {
  const auto hash_with = [this](const Words& settings) {
    return train(1, join(kCnn, settings)).at("parameters_hash");
  };
  const Json one = hash_with({"threads.workers=1"});
  EXPECT_EQ(hash_with({"threads.workers=5"}), one);
  EXPECT_NE(hash_with({"seed=2"}), one);
}

TEST_F(Layouts, FastSumsOfFloatsAgreeTo1e5) {
  for (const int processes : {1, 4, 8}) train(processes, kSoftmax);
  EXPECT_LE(deviation(model(2), model(1)), 1e-5);
  EXPECT_LE(deviation(model(3), model(1)), 1e-5);
}

TEST_F(Layouts, FastSumsOfDoublesAgreeTo1e10) {
  const Words settings = {"workers=8",       "train.batch=8",       "train.steps=8",
                          "threads.intra=1", "train.dtype=float64", "strategy.preset=local_sgd(2)"};
  for (const int processes : {1, 4, 8}) train(processes, settings);
  EXPECT_LE(deviation(model(2), model(1)), 1e-10);
  EXPECT_LE(deviation(model(3), model(1)), 1e-10);
}

TEST_F(Layouts, CostsAreThoseThatTheStrategyPredicts) {
  for (const std::string strategy : {"local_sgd(8)", "synchronous", "post_local_sgd(17, 4)"}) {
    SCOPED_TRACE(strategy);
    const Json counted = train(1, join(kSoftmax, {"strategy.preset=" + strategy}));
    const double row = row_bytes(model(1));
    EXPECT_EQ(row, (7840 + 16) * 4);
    const Outcome shown = run({"strategy", "show", strategy, "--workers", "8", "--steps", "48",
                               "--megabytes", Json(row / 1e6).dump(), "--json"});
    expect_exit(shown, 0);
    const Json predicted = Json::parse(shown.out);
    EXPECT_EQ(counted.at("rounds"), predicted.at("rounds"));
    EXPECT_NEAR(counted.at("bytes_sent_per_worker").get<double>() /
                    predicted.at("bytes_sent_per_worker").get<double>(),
                1, 1e-12);
  }
}

TEST_F(Layouts, TheExampleOnRealDigits) {
  ENTRAIN_NEEDS_DATA("mnist");
  const char* source = std::getenv("ENTRAIN_SOURCE");
  ASSERT_TRUE(source) << "ENTRAIN_SOURCE must be the root of the repository";
  const std::string example = std::filesystem::path(source) / "examples/mnist.toml";
  expect_one_result({example, "data.root=" + real_data("mnist").string(), "train.steps=16",
                     "train.batch=16", "threads.intra=1"},
                    {2});
}

// Rounds of every kind, and schedules that read the loss, of which each worker has another.
TEST_F(Layouts, EveryKindOfRoundHasOneResult) {
  const std::map<std::string, Words> strategies = {
      {"gossip_pga(ring, 6)", {"neighbours", "everyone"}},
      {"gossip(one_peer_exponential)", {"neighbours"}},
      {"hierarchical(2, 4, 12)", {"groups", "everyone"}},
      {"gossip_aga(static_exponential, 3, warmup=12)", {"neighbours", "everyone"}},
      {"ada_lupa_sgd(4, cap=32)", {"everyone"}},
      {"gradients(whom=groups(2)) + parameters(when=every(6))", {"gradients", "everyone"}},
      {"diloco(6)", {"everyone"}},
      {"easgd(6, 0.1)", {"everyone"}},
      {"parameters(when=every(6), state=average)", {"everyone"}}};
  for (const auto& [strategy, kinds] : strategies) {
    SCOPED_TRACE(strategy);
    const Json summary = expect_one_result(join(kSoftmax, {"strategy.preset=" + strategy}), {4});
    for (const auto& [kind, count] : summary.at("rounds").items()) {
      const bool expected = std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
      EXPECT_EQ(count.get<int>() > 0, expected) << kind;
    }
  }
}

TEST_F(Layouts, EveryModelThatCanBeEvaluatedHasOneResult) {
  const Words slowmo = join(kSoftmax, {"strategy.preset=slowmo(8)"});
  std::map<std::string, Json> summaries;
  for (const char* model : {"average", "anchor", "polyak_ruppert", "workers"}) {
    SCOPED_TRACE(model);
    summaries[model] =
        expect_one_result(join(slowmo, {std::string("evaluation.model=") + model}), {4});
    EXPECT_EQ(summaries[model].at("evaluated_model"), model);
  }
  // After a slow step all workers are the anchor.
  EXPECT_EQ(summaries["anchor"].at("test_loss"), summaries["average"].at("test_loss"));
  EXPECT_NEAR(summaries["workers"].at("test_loss").get<double>(),
              summaries["average"].at("test_loss").get<double>(), 1e-9);
  EXPECT_NE(summaries["polyak_ruppert"].at("test_loss"), summaries["average"].at("test_loss"));
  EXPECT_NEAR(summaries["workers"].at("lowest_worker_accuracy").get<double>(),
              summaries["workers"].at("test_accuracy").get<double>(), 1e-9);
  EXPECT_TRUE(summaries["average"].at("lowest_worker_accuracy").is_null());
  expect_one_result(join(kSoftmax, {"evaluation.model=anchor",
                                    "strategy.preset=parameters(when=every(8), whom=groups(4), "
                                    "outer=slow_momentum(1, 0.5))"}),
                    {4});
  expect_exit(run({"train", "evaluation.model=anchor", "strategy.preset=local_sgd(8)"}), 2,
              {"evaluation.model", "local_sgd(8) keeps no anchor"});
}

// The draws of a worker depend on its number, so a problem's do not depend on the layout either.
TEST_F(Layouts, AProblemHasOneResult) {
  const std::vector<std::array<std::string, 2>> cases = {
      {"logistic(shared=false, samples=400)", "gossip_pga(ring, 6)"},
      {"quadratic(spread=1)", "overlap_local_sgd(6)"},
      {"softmax_regression(classes=3, samples=50)", "local_sgd(6)"}};
  for (const auto& [problem, strategy] : cases) {
    SCOPED_TRACE(problem);
    const Words words = {
        "workers=8",           "train.batch=4",           "train.steps=40",
        "evaluation.window=4", "problem.name=" + problem, "strategy.preset=" + strategy};
    const Json one = train(1, join(words, kReproducible));
    const Json threads = train(1, join(words, {"comm.sums=reproducible", "threads.workers=3"}));
    EXPECT_EQ(threads.at("parameters_hash"), one.at("parameters_hash"));
    for (const int processes : {2, 8}) {
      const Json other = train(processes, join(words, kReproducible));
      for (const char* same : {"parameters_hash", "rounds", "bytes_sent_per_worker", "samples"}) {
        EXPECT_EQ(other.at(same), one.at(same)) << same;
      }
      for (const char* figure : {"excess", "excess_nodes", "gradient_norm2", "distance2_nodes"}) {
        const auto expected = one.at(figure).get<double>();
        EXPECT_NEAR(other.at(figure).get<double>(), expected, 1e-5 * expected) << figure;
      }
    }
  }
}

TEST_F(Layouts, AProblemTakesNoDataAndNoEpochs) {
  const Words problem = {"train", "problem.name=quadratic"};
  expect_exit(run(problem), 2, {"problem.name", "no epochs", "train.steps"});
  const Words words = join(problem, {"train.steps=4"});
  expect_exit(run(join(words, {"data.name=mnist"})), 2, {"data.name", "quadratic"});
  expect_exit(run(join(words, {"model.name=mlp"})), 2, {"model.name", "quadratic"});
  expect_exit(run(join(words, {"train.lr_schedule=warmup(1ep)"})), 2, {"train.lr_schedule", "1ep"});
  expect_exit(run({"train", "problem.name=quadratics", "train.steps=4"}), 2,
              {"problem.name", "did you mean 'quadratic'"});
  expect_exit(run(join(words, {"--out", "first"})), 0);
  expect_exit(run({"train", "first/run.toml", "--out", "second"}), 0);
  EXPECT_EQ(summary_of(*this / "second", 1).at("parameters_hash"),
            summary_of(*this / "first", 1).at("parameters_hash"));
}

// A clock that is pretended changes times and never values.
TEST_F(Layouts, ASimulatedNetworkChangesNoBit) {
  const Words switched = {"network.bandwidth=100 Mbit/s", "network.latency=1 ms",
                          "network.compute=exponential(10 ms)", "network.straggler=slow(0.1, 5)"};
  const Words wireless = {"network.preset=wireless", "network.links=[link(0, 7, 1 Mbit/s, 50 ms)]",
                          "network.compute=pareto(10 ms, 3)", "network.straggler=factors([1, 2])"};
  for (const char* strategy : {"local_sgd(6)", "overlap_local_sgd(6)", "gossip_pga(ring, 6)",
                               "streaming_diloco(6, 1, 2, 0.5)"}) {
    SCOPED_TRACE(strategy);
    const Words words = join(kSoftmax, {std::string("strategy.preset=") + strategy});
    const Json real = train(1, words);
    EXPECT_TRUE(real.at("simulated_seconds").is_null());
    for (const Words& network : {switched, wireless}) {
      const Json simulated = train(1, join(words, network));
      for (const char* same : {"parameters_hash", "rounds", "bytes_sent_per_worker", "test_loss"}) {
        EXPECT_EQ(simulated.at(same), real.at(same)) << same;
      }
      EXPECT_GT(simulated.at("simulated_seconds").get<double>(), 0.4);
      const Json again = train(1, join(words, network));
      EXPECT_EQ(again.at("simulated_seconds"), simulated.at("simulated_seconds"));
    }
  }
}

}  // namespace
}  // namespace entrain
