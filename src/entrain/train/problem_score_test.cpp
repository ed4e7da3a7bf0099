#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "entrain/comm/local.h"
#include "entrain/core/errors.h"
#include "entrain/strategy/strategy_text.h"
#include "entrain/train/score.h"

namespace entrain {
namespace {

// Workers on quadratics with minimisers of their own and noise, in double.
struct OnQuadratics {
  std::unique_ptr<Problem> problem = build_problem(
      parse_value("quadratic(dimension=3, noise=0.5, spread=1)"))({.workers = kWorkers, .seed = 7});
  Team team{2};
  std::unique_ptr<Communicator> comm = local_communicator(kWorkers);
  Training training;
  Workers workers;

  static constexpr int kWorkers = 5;

  explicit OnQuadratics(const std::string& strategy)
      : training{.objective = {.problem = problem.get(), .type = at::kDouble, .batch = 1},
                 .make_optimizer = build_optimizer(parse_value("sgd(0.2)")),
                 .lr_schedule = {},
                 .strategy = parse_strategy(strategy, {.workers = kWorkers})},
        workers(training, *comm, team) {}

  at::Tensor points() const { return workers.rows().parameters().narrow(1, 0, 3); }
};

// f - f* of the mean, its mean over the workers, and the squared distances, written out.
struct Expected {
  double excess = 0, excess_nodes = 0, distance2 = 0, distance2_nodes = 0, consensus2 = 0;

  void add(const OnQuadratics& run, double share) {
    const Optimum optimum = *run.problem->optimum();
    const at::Tensor x = run.points().clone(), mean = x.mean(0, true);
    const auto sum = [](const at::Tensor& t) { return t.sum().item<double>(); };
    constexpr double n = OnQuadratics::kWorkers;
    excess += share * (run.problem->objective(mean).item<double>() - optimum.value);
    excess_nodes += share * (sum(run.problem->objective(x)) / n - optimum.value);
    distance2 += share * sum((mean - optimum.point).square());
    distance2_nodes += share * sum((x - optimum.point).square()) / n;
    consensus2 += share * sum((x - mean).square()) / n;
  }
};

void expect_figures(const EvaluationRecord& record, const Expected& expected) {
  EXPECT_NEAR(*record.problem->excess, expected.excess, 1e-13);
  EXPECT_NEAR(*record.problem->excess_nodes, expected.excess_nodes, 1e-13);
  EXPECT_NEAR(*record.problem->distance2, expected.distance2, 1e-13);
  EXPECT_NEAR(*record.problem->distance2_nodes, expected.distance2_nodes, 1e-13);
  EXPECT_NEAR(record.consensus_distance, std::sqrt(expected.consensus2), 1e-13);
}

TEST(ProblemScore, IsOfTheStepAloneWithoutAWindow) {
  OnQuadratics run("local_sgd(4)");
  const Settings::Evaluation settings;
  const auto score =
      problem_score({settings, 3, 7, run.training, run.workers, *run.comm, run.team});
  Summary summary;
  for (int step = 1; step <= 7; ++step) {
    run.workers.step();
    if (score->looks()) score->look();
    if (step % 3 != 0 && step != 7) continue;
    Expected expected;
    expected.add(run, 1);
    expect_figures(score->take(summary, step == 7), expected);
    EXPECT_NEAR(*summary.problem->excess, expected.excess, 1e-13);
  }
}

// Local SGD's workers are equal at every fourth step: a look at those steps alone would see no
// distance between them.
TEST(ProblemScore, AveragesOverTheStepsOfItsWindow) {
  OnQuadratics run("local_sgd(4)");
  Settings::Evaluation settings;
  settings.window = 4;
  const auto score =
      problem_score({settings, 8, 18, run.training, run.workers, *run.comm, run.team});
  Summary summary;
  Expected window, rest;
  for (int step = 1; step <= 18; ++step) {
    run.workers.step();
    if (score->looks()) score->look();
    if (step > 12 && step <= 16) window.add(run, 0.25);
    if (step > 16) rest.add(run, 0.5);  // a window does not reach back over an evaluation
    if (step == 8) score->take(summary, false);
    if (step != 16) continue;
    const EvaluationRecord record = score->take(summary, false);
    expect_figures(record, window);
    EXPECT_GT(record.consensus_distance, 0.1);
  }
  expect_figures(score->take(summary, true), rest);
}

TEST(ProblemScore, OfTheWorkersIsTheMeanOverTheirOwn) {
  OnQuadratics run("gossip(ring)");
  Settings::Evaluation settings;
  settings.model = "workers";
  const auto score =
      problem_score({settings, 6, 6, run.training, run.workers, *run.comm, run.team});
  for (int step = 1; step <= 6; ++step) run.workers.step();
  double squares = 0;
  for (const at::Tensor& x : run.points().unbind(0)) {
    squares += run.problem->gradient(x).square().sum().item<double>();
  }
  Summary summary;
  const ProblemFigures figures = *score->take(summary, true).problem;
  EXPECT_NEAR(figures.gradient_norm2, squares / OnQuadratics::kWorkers, 1e-13);
  EXPECT_EQ(figures.excess, figures.excess_nodes);
  EXPECT_EQ(figures.distance2, figures.distance2_nodes);
  EXPECT_GT(*figures.excess, 0);
}

TEST(ProblemScore, GradientOfTheShownModel) {
  OnQuadratics run("local_sgd(4)");
  Settings::Evaluation settings;
  settings.model = "polyak_ruppert";
  run.workers.synchronizer().keep_running_mean();
  const auto score =
      problem_score({settings, 6, 6, run.training, run.workers, *run.comm, run.team});
  at::Tensor sum = at::zeros({3}, at::kDouble);
  for (int step = 1; step <= 6; ++step) {
    run.workers.step();
    sum += run.points().mean(0);
  }
  Summary summary;
  const EvaluationRecord record = score->take(summary, true);
  const double expected = run.problem->gradient(sum / 6).square().sum().item<double>();
  EXPECT_NEAR(record.problem->gradient_norm2, expected, 1e-13);
  EXPECT_EQ(record.model, "polyak_ruppert");
  EXPECT_EQ(score->model().size(0), 1);
}

}  // namespace
}  // namespace entrain
