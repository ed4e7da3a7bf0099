// Messages that travel in another form, against loops written from the codecs' definitions alone.

#include <gtest/gtest.h>

#include <map>

#include "conformance/engine.h"
#include "entrain/comm/test_ranks.h"
#include "entrain/core/seeds.h"
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

TEST(Coded, MethodsAreTheirLoops) {
  for (int workers : {1, 2, 3, 8}) expect_all(workers);
  for (const auto& [text, deviation] : largest()) fmt::print("{:<76}{:10.1e}\n", text, deviation);
}

class CodedOnC10d : public testing::TestWithParam<int> {};

TEST_P(CodedOnC10d, MethodsAreTheirLoops) {
  across(GetParam(), [](RankPlay& play) {
    const auto comm = play.join(entrain::Sums::fast, 4 / play.size());
    expect_all(4, comm.get());
  });
}

INSTANTIATE_TEST_SUITE_P(Processes, CodedOnC10d, testing::Values(2, 4));

}  // namespace
}  // namespace coded_test
