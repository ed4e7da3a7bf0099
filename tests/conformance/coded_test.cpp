// Messages that travel in another form, against loops written from the codecs' definitions alone.

#include <gtest/gtest.h>

#include <map>

#include "conformance/coded_texts.h"
#include "conformance/engine.h"
#include "entrain/comm/test_ranks.h"
#include "entrain/core/files.h"
#include "entrain/core/seeds.h"
#include "entrain/core/test_folder.h"
#include "entrain/strategy/coder.h"
#include "reference/coded_methods.h"

// Not in entrain's namespace: the loops have the names of its methods.
namespace coded_test {
namespace {

using entrain::across;
using entrain::Engine;
using entrain::RankPlay;
using namespace reference;

constexpr int kRun = 60;  // steps
// With error feedback the factors of PowerSGD soon magnify what rounding does: in the loop itself
// one unit in the last place of the learning rate moves the result by 1e-10 within 60 steps.
constexpr int kLowRankRun = 20;
constexpr int kRows = 20, kColumns = 30;  // of the one tensor, 600 columns: three blocks of 256
const std::vector<std::int64_t> kShape = {kRows, kColumns};

// The codecs by their text; `mean` makes what a round keeps of them.
struct Form {
  std::string text;
  std::function<Mean(bool feedback)> mean;
  bool in_blocks = false;  // goes with parameters and with neighbours, too
  std::function<Codec()> codec = {};
};

// The library's first factors.
double first_factor(int tensor, int row, int column, int rank) {
  entrain::Stream random(1, entrain::Purpose::codec, tensor);
  double number = 0;
  for (int i = 0; i <= row * rank + column; ++i) number = random.normal();
  return number;
}

std::vector<Form> forms() {
  std::vector<Form> all;
  const auto add = [&](const std::string& text, const std::function<Codec()>& codec,
                       bool in_blocks) {
    all.push_back({text, [codec](bool feedback) -> Mean { return CodedMean(codec(), feedback); },
                   in_blocks, codec});
  };
  add(
      "bf16", [] { return bf16(); }, true);
  add(
      "fp16", [] { return fp16(); }, true);
  add(
      "int8", [] { return int8(); }, true);
  add(
      "int4", [] { return int4(); }, true);
  add(
      "fp4", [] { return fp4(); }, true);
  add(
      "qsgd", [] { return qsgd(1); }, false);
  add(
      "qsgd(s=4, bucket=64)", [] { return qsgd(1, 4, 64); }, false);
  add(
      "top_k(0.05)", [] { return top_k(0.05); }, false);
  add(
      "random_k(0.1)", [] { return random_k(0.1, 1); }, false);
  add(
      "sign", [] { return sign(); }, false);
  for (int rank : {1, 3}) {
    all.push_back({fmt::format("low_rank({})", rank), [rank](bool feedback) -> Mean {
                     return LowRankMean(
                         {{0, kRows, kColumns}}, rank,
                         [rank](int tensor, int row, int column) {
                           return first_factor(tensor, row, column, rank);
                         },
                         feedback);
                   }});
  }
  return all;
}

std::map<std::string, double>& largest() {
  static std::map<std::string, double> all;
  return all;
}

void expect_loop(const std::string& text, const Problem& problem, const Sgd& sgd, int steps,
                 const State& loop, entrain::Communicator* comm = nullptr) {
  Engine engine(problem, sgd, text, comm, kShape);
  const double deviation = engine.run(steps).deviation(loop);
  EXPECT_LE(deviation, 1e-12) << text << ", n = " << problem.workers;
  double& worst = largest()[text];
  worst = std::max(worst, deviation);
}

const Sgd kSgd = {0.05, 0.9, 1e-2, false};

// Each form on gradients, deltas, an outer optimizer and, where it goes with them, on parameters
// and among neighbours. `comm`: with the workers of several processes.
void expect_all(int workers, entrain::Communicator* comm = nullptr) {
  const Problem problem{workers, kRows * kColumns};
  for (const Form& form : forms()) {
    for (bool feedback : {false, true}) {
      const std::string codec = feedback ? fmt::format("error_feedback({})", form.text) : form.text;
      const auto mean = [&] { return form.mean(feedback); };
      const int steps = form.text.starts_with("low_rank") ? kLowRankRun : kRun;
      expect_loop(fmt::format("gradients(codec={})", codec), problem, kSgd, steps,
                  coded_synchronous(problem, kSgd, steps, mean()), comm);
      expect_loop(fmt::format("deltas(when=every(4), codec={})", codec), problem, kSgd, steps,
                  coded_local_sgd(problem, kSgd, steps, 4, mean(), true), comm);
      expect_loop(fmt::format("deltas(when=every(4), codec={}, outer=nesterov(0.7, 0.9))", codec),
                  problem, kSgd, steps, coded_diloco(problem, kSgd, steps, 4, 0.7, 0.9, mean()),
                  comm);
      if (!form.in_blocks) continue;
      expect_loop(fmt::format("parameters(when=every(4), codec={})", codec), problem, kSgd, steps,
                  coded_local_sgd(problem, kSgd, steps, 4, mean(), false), comm);
      expect_loop(fmt::format("parameters(whom=ring, codec={})", codec), problem, kSgd, steps,
                  coded_gossip(problem, kSgd, steps, ring(workers), form.codec(), feedback), comm);
    }
  }
}

// The methods with names, on one tensor.
void expect_named(int workers, entrain::Communicator* comm = nullptr) {
  const Problem problem{workers, kRows * kColumns};
  const auto low_rank = [](int rank) {
    return LowRankMean(
        {{0, kRows, kColumns}}, rank,
        [rank](int tensor, int row, int column) { return first_factor(tensor, row, column, rank); },
        true);
  };
  const std::vector<std::string> texts = coded_texts();
  expect_loop(texts[0], problem, kSgd, kLowRankRun,
              coded_synchronous(problem, kSgd, kLowRankRun, low_rank(3)), comm);
  expect_loop(texts[1], problem, kSgd, kRun, coded_synchronous(problem, kSgd, kRun, qsgd(1), false),
              comm);
  expect_loop(texts[2], problem, kSgd, kRun, coded_synchronous(problem, kSgd, kRun, sign(), true),
              comm);
  expect_loop(texts[3], problem, kSgd, kRun,
              coded_local_sgd(problem, kSgd, kRun, 4, sign(), true, true), comm);
  expect_loop(texts[4], problem, kSgd, kRun,
              coded_diloco(problem, kSgd, kRun, 4, 0.7, 0.9, int4(), false), comm);
  expect_loop(texts[5], problem, kSgd, kRun,
              coded_diloco(problem, kSgd, kRun, 4, 0.7, 0.9, fp4(), true), comm);
}

// The columns of each fragment of a model of equal layers.
std::vector<std::vector<int>> fragments_of(int layers, int size, int count, bool strided) {
  std::vector<std::vector<int>> fragments(count);
  for (int layer = 0; layer < layers; ++layer) {
    const int owner = strided ? layer % count : layer * count / layers;
    for (int j = 0; j < size; ++j) fragments[owner].push_back(layer * size + j);
  }
  return fragments;
}

void expect_streaming(int workers, entrain::Communicator* comm = nullptr) {
  constexpr int layers = 5, size = 8;
  const Problem problem{workers, layers * size};
  struct Case {
    int h, fragments, tau;
    double alpha;
    bool strided;
    std::string codec;
    Codec form;
    bool feedback;
  };
  for (const Case& one : {Case{6, 1, 0, 1, true, "exact", exact(), false},
                          {6, 2, 1, 0.5, true, "exact", exact(), false},
                          {6, 3, 4, 1, false, "fp4", fp4(), false},
                          {5, 5, 0, 0.7, true, "error_feedback(int4)", int4(), true},
                          {3, 5, 2, 0.5, false, "exact", exact(), false},
                          {4, 2, 9, 0.5, true, "error_feedback(fp4)", fp4(), true}}) {
    const std::string text = fmt::format(
        "streaming_diloco({}, fragments={}, tau={}, alpha={}, codec={}, pattern={})", one.h,
        one.fragments, one.tau, one.alpha, one.codec, one.strided ? "strided" : "sequential");
    const State loop = streaming_diloco(problem, kSgd, kRun, one.h,
                                        fragments_of(layers, size, one.fragments, one.strided),
                                        one.tau, one.alpha, 0.7, 0.9, one.form, one.feedback);
    Engine engine(problem, kSgd, text, comm, {}, layers);
    EXPECT_LE(engine.run(kRun).deviation(loop), 1e-12) << text << ", n = " << workers;
  }
}

std::string matrix_file(const entrain::TestFolder& folder, const Matrix& weights) {
  std::string text;
  for (const Vector& row : weights) {
    for (const double weight : row) text += fmt::format("{} ", weight);
    text += '\n';
  }
  entrain::write_whole(folder / "weights.txt", text);
  return fmt::format("matrix(\"{}\")", (folder / "weights.txt").string());
}

void expect_push_sum(int workers, entrain::Communicator* comm = nullptr) {
  const entrain::TestFolder folder;
  const Problem problem{workers, 21};
  const std::vector<std::pair<std::string, Weights>> graphs = {
      {"ring", always(ring(workers))},
      {"one_peer_exponential", [=](int k) { return one_peer_exponential(workers, k); }},
      {matrix_file(folder, irregular_digraph(workers)), always(irregular_digraph(workers))}};
  for (const auto& [text, shares] : graphs) {
    if (comm && text.find("matrix") == 0) continue;  // a file of this process alone
    for (const Sgd& sgd : {Sgd{0.05, 0, 0, false}, kSgd}) {
      Engine plain(problem, sgd, fmt::format("sgp({})", text), comm);
      EXPECT_LE(plain.run(kRun).deviation(sgp(problem, sgd, kRun, shares)), 1e-12)
          << text << ", n = " << workers;
      Engine averaged(
          problem, sgd,
          fmt::format("parameters(whom=push_sum({})) + parameters(when=every(7))", text), comm);
      EXPECT_LE(averaged.run(kRun).deviation(sgp(problem, sgd, kRun, shares, 7)), 1e-12)
          << text << ", n = " << workers;
    }
  }
}

TEST(Coded, NamedMethodsAreTheirLoops) {
  for (int workers : {1, 2, 3, 8}) expect_named(workers);
}

TEST(Streaming, IsItsLoop) {
  for (int workers : {1, 2, 3, 8}) expect_streaming(workers);
}

TEST(PushSum, IsItsLoop) {
  for (int workers : {1, 2, 3, 4, 8}) expect_push_sum(workers);
}

TEST(Streaming, OneFragmentAtOnceAndWhollyIsDiloco) {
  const Problem problem{3, 40};
  Engine streaming(problem, kSgd, "streaming_diloco(6, fragments=1, tau=0, alpha=1, codec=exact)",
                   nullptr, {}, 5);
  Engine diloco(problem, kSgd, "diloco(6)", nullptr, {}, 5);
  EXPECT_EQ(streaming.run(kRun).deviation(diloco.run(kRun)), 0);
  Engine one(problem, kSgd, "parameters(when=every(6), slice=fragment(0, of=1))", nullptr, {}, 5);
  Engine whole(problem, kSgd, "local_sgd(6)", nullptr, {}, 5);
  EXPECT_EQ(one.run(kRun).deviation(whole.run(kRun)), 0);
}

// In each period of h steps after the first, every fragment is sent once.
TEST(Streaming, EachFragmentIsSentOnceAPeriod) {
  for (const auto& [h, fragments] : {std::pair{6, 2}, {7, 3}, {5, 5}, {9, 4}}) {
    Engine engine({2, 40}, kSgd,
                  fmt::format("streaming_diloco({}, fragments={}, tau=0, alpha=1, codec=exact)", h,
                              fragments),
                  nullptr, {}, 5);
    engine.run(h);
    for (int period = 0; period < 6; ++period) {
      engine.sync().take_landed();
      engine.run(h);
      EXPECT_EQ(engine.sync().take_landed().size(), static_cast<std::size_t>(fragments));
    }
    const double row = 40 * sizeof(double);
    EXPECT_NEAR(engine.metered().bytes_sent_per_worker(), 7 * row, 1e-9)
        << "the model once a period";
  }
}

// Rows that only their sums are kept of reach the exact mean of the start.
TEST(PushSum, ReachesTheExactMeanOnAnIrregularDigraph) {
  const entrain::TestFolder folder;
  for (int n : {3, 5, 8}) {
    Engine engine({n, 21}, {0.05, 0, 0, false},
                  fmt::format("sgp({})", matrix_file(folder, irregular_digraph(n))));
    engine.rows().parameters().narrow(1, 0, 21).normal_();
    engine.gradient = [](int, int, int, double) { return 0.0; };
    const at::Tensor mean = engine.mean_row().clone();
    for (int t = 0; t < 300; ++t) {
      engine.step();
      const at::Tensor masses = engine.sync().masses();
      ASSERT_NEAR(masses.sum().item<double>(), n, 1e-12);
      at::Tensor sum = at::zeros({21}, at::kDouble);
      for (int i = 0; i < n; ++i) sum = sum + engine.row(i) * masses[i];
      ASSERT_LE((sum / n - mean).abs().max().item<double>(), 1e-12) << "the sum is kept";
    }
    for (int i = 0; i < n; ++i) {
      EXPECT_LE((engine.row(i) - mean).abs().max().item<double>(), 1e-10) << i << " of " << n;
    }
    EXPECT_GT((engine.sync().masses() - 1).abs().max().item<double>(), 0.1) << "masses differ";
  }
}

TEST(PushSum, MassesAreOneAgainAfterAnExactAverage) {
  const entrain::TestFolder folder;
  Engine engine({5, 21}, kSgd,
                fmt::format("parameters(whom=push_sum({})) + parameters(when=every(7))",
                            matrix_file(folder, irregular_digraph(5))));
  engine.run(6);
  EXPECT_GT((engine.sync().masses() - 1).abs().max().item<double>(), 0.1);
  engine.step();
  EXPECT_EQ((engine.sync().masses() - 1).abs().max().item<double>(), 0);
}

// Predicted and metered bytes agree for every codec, fragment and mass.
TEST(Coded, CostsWhatIsPredicted) {
  std::vector<std::string> texts = coded_texts();
  for (const Form& form : forms()) {
    texts.push_back(fmt::format("gradients(codec={})", form.text));
    texts.push_back(fmt::format("deltas(when=every(5), codec=error_feedback({}))", form.text));
    if (!form.in_blocks) continue;
    texts.push_back(fmt::format("parameters(when=every(5), codec={})", form.text));
    texts.push_back(fmt::format("parameters(whom=ring, codec={})", form.text));
  }
  texts.push_back("parameters(when=ada_loss(4, 8), codec=int8)");
  texts.push_back("parameters(whom=push_sum(ring), codec=bf16) + parameters(when=every(7))");
  texts.push_back("streaming_diloco(6, fragments=3, tau=2, alpha=0.5, codec=error_feedback(int4))");
  for (const std::string& text : texts) {
    for (int workers : {1, 2, 8}) {
      const bool by_layer = text.find("streaming") == 0;
      Engine engine({workers, 600}, kSgd, text, nullptr,
                    by_layer ? std::vector<std::int64_t>{} : kShape, by_layer ? 5 : 1);
      engine.run(kRun);
      entrain::Strategy strategy = engine.sync().strategy();
      for (std::size_t i = 0; i < strategy.parameters.size(); ++i) {
        entrain::Schedule& when = strategy.parameters[i].when;
        if (when.needs_loss) when.next = entrain::at_steps(engine.sync().due_steps(i)).next;
      }
      const entrain::Cost cost = entrain::predict_cost(
          strategy, workers, kRun,
          {.parameters = static_cast<double>(engine.rows().gradients().size(1)) * sizeof(double),
           .item = sizeof(double),
           .layout = &engine.rows().layout()});
      EXPECT_NEAR(cost.bytes_sent_per_worker, engine.metered().bytes_sent_per_worker(),
                  1e-9 * cost.bytes_sent_per_worker)
          << text << ", n = " << workers;
    }
  }
}

TEST(Coded, MethodsAreTheirLoops) {
  for (int workers : {1, 2, 3, 8}) expect_all(workers);
  for (const auto& [text, deviation] : largest()) fmt::print("{:<76}{:10.1e}\n", text, deviation);
}

// What goes over the wire for 25 MB is what the codec promises.
TEST(CodedOnTheWire, IsWhatTheCodecPromises) {
  across(4, [](RankPlay& play) {
    constexpr std::int64_t rows = 2500, columns = 2500;
    const entrain::MessageTensors tensors = {
        {{0, rows * columns}}, {{0, rows, columns}}, rows * columns};
    const auto comm = play.join(entrain::Sums::fast);
    const at::Tensor values = at::randn({1, rows * columns}), mean = at::empty_like(values);
    for (const char* text : {"bf16", "fp16", "int8", "int4", "fp4", "top_k(0.01)", "random_k(0.01)",
                             "sign", "low_rank(4)", "qsgd"}) {
      const entrain::Codec codec = entrain::build_codec(entrain::parse_value(text), {});
      const auto coder = std::make_shared<entrain::Coder>(codec, tensors, 1, at::kFloat);
      const std::int64_t before = comm->wire_bytes_sent();
      coder->launch(*comm, nullptr, values, mean)->wait();
      const auto sent = static_cast<double>(comm->wire_bytes_sent() - before);
      const double promised = entrain::coded_bytes(codec, tensors, 4, 4, std::nullopt);
      EXPECT_NEAR(sent / promised, 1, 0.01) << text;
      if (play.rank() == 0) {
        fmt::print("{:<16}{:>12.3f} MB of {:.3f}\n", text, sent / 1e6, promised / 1e6);
      }
    }
  });
}

class CodedInProcesses : public testing::TestWithParam<entrain::World> {};

TEST_P(CodedInProcesses, MethodsAreTheirLoops) {
  across(
      GetParam(),
      [](RankPlay& play) {
        const auto comm = play.join(entrain::Sums::fast, 4 / play.size());
        expect_all(4, comm.get());
        expect_named(4, comm.get());
        expect_streaming(4, comm.get());
        expect_push_sum(4, comm.get());
      },
      entrain::StoreAt::test, std::chrono::minutes(4));
}

INSTANTIATE_TEST_SUITE_P(Processes, CodedInProcesses,
                         testing::Values(2, 4, entrain::World(4, entrain::Via::mpi)));

}  // namespace
}  // namespace coded_test
