#include "entrain/model/analytic_problems.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "entrain/model/test_problems.h"

namespace entrain {
namespace {

const ProblemFacts kThree = {.workers = 3};

TEST(AnalyticProblems, GradientsAreSlopesOfTheLosses) {
  for (const char* text : {"quadratic(noise=0, spread=2)", "sine(dimension=5, noise=0)"}) {
    const auto problem = problem_of(text, kThree);
    const at::Tensor x = numbers({3, 5}, 3);
    const at::Tensor gradients = drawn(*problem, 7, 0, x).gradients;
    for (int j = 0; j < 5; ++j) {
      at::Tensor step = at::zeros({5}, at::kDouble);
      step[j] = 1e-5;
      const at::Tensor slope =
          (drawn(*problem, 7, 0, x + step).losses - drawn(*problem, 7, 0, x - step).losses) / 2e-5;
      expect_near(gradients.select(1, j), slope, 1e-8, text);
    }
  }
}

TEST(AnalyticProblems, ObjectiveIsTheMeanOverTheWorkers) {
  for (const char* text : {"quadratic(noise=0, spread=2)", "sine(dimension=5, noise=0)"}) {
    const auto problem = problem_of(text, kThree);
    const at::Tensor point = numbers({5}, 3);
    const Drawn all = drawn(*problem, 0, 0, point.expand({3, 5}).contiguous());
    EXPECT_NEAR(problem->objective(point.unsqueeze(0)).item<double>(),
                all.losses.mean().item<double>(), 1e-14);
    expect_near(problem->gradient(point), all.gradients.mean(0), 1e-14, text);
  }
}

TEST(AnalyticProblems, OptimaAreKnown) {
  for (const char* text : {"quadratic", "quadratic(spread=2)", "sine(dimension=2)"}) {
    const auto problem = problem_of(text, kThree);
    const auto least = problem->optimum();
    ASSERT_TRUE(least);
    EXPECT_LE(problem->gradient(least->point).abs().max().item<double>(), 1e-15);
    EXPECT_NEAR(problem->objective(least->point.unsqueeze(0)).item<double>(), least->value, 1e-15);
    EXPECT_EQ(least->value > 0, std::string(text) == "quadratic(spread=2)");
    const at::Tensor around = least->point + numbers({50, problem->dimension()});
    EXPECT_GT(problem->objective(around).min().item<double>(), least->value);
  }
}

TEST(AnalyticProblems, StartWhereTheyAreTold) {
  const auto quadratic = problem_of("quadratic(dimension=7, spread=1, start=3)", kThree);
  const at::Tensor away = quadratic->start() - quadratic->optimum()->point;
  EXPECT_NEAR(away.norm().item<double>(), 3, 1e-14);
  EXPECT_NEAR((away.max() - away.min()).item<double>(), 0, 1e-15);
  const auto resting = problem_of("quadratic(start=0)", kThree);
  EXPECT_TRUE(resting->start().equal(resting->optimum()->point));
  EXPECT_EQ(problem_of("sine(start=-2)", kThree)->start().item<double>(), -2);
}

TEST(AnalyticProblems, EigenvaluesGoFromTheLeastToTheMost) {
  const auto problem = problem_of("quadratic(dimension=4, least=0.1, most=1, noise=0)", kThree);
  const at::Tensor slopes = drawn(*problem, 0, 0, at::ones({1, 4}, at::kDouble)).gradients[0];
  expect_near(slopes, at::tensor({0.1, 0.4, 0.7, 1.0}, at::kDouble), 1e-15);
}

// E|xi|^2 = noise^2, its mean over 4,000 draws of 5 coordinates known to 1.6 % x 5 deviations.
TEST(AnalyticProblems, NoiseHasItsVarianceAndNoMean) {
  for (const char* text : {"quadratic(noise=3)", "sine(dimension=5, noise=3)"}) {
    const auto problem = problem_of(text, {.workers = 1000});
    const at::Tensor x = at::zeros({1000, 5}, at::kDouble);
    std::vector<at::Tensor> all;
    for (int step = 0; step < 4; ++step) all.push_back(drawn(*problem, step, 0, x).gradients);
    const at::Tensor noise = at::cat(all);
    EXPECT_NEAR(noise.pow(2).sum(1).mean().item<double>(), 9, 9 * 0.05) << text;
    EXPECT_LT(noise.mean(0).abs().max().item<double>(), 5 * 3 / std::sqrt(5 * 4000.0)) << text;
    const at::Tensor products = noise.t().mm(noise) / 4000 / (9.0 / 5);
    expect_near(products, at::eye(5, at::kDouble), 0.12, text);
  }
}

TEST(AnalyticProblems, DrawsDependOnSeedWorkerAndStepAlone) {
  const auto problem = problem_of("quadratic(spread=1)", kThree);
  const at::Tensor x = numbers({3, 9}).narrow(1, 2, 5);
  const Drawn all = drawn(*problem, 4, 0, x), last = drawn(*problem, 4, 2, x.narrow(0, 2, 1));
  EXPECT_TRUE(last.gradients.equal(all.gradients.narrow(0, 2, 1)));
  EXPECT_FALSE(drawn(*problem, 5, 0, x).gradients.equal(all.gradients));
  const Drawn in_float = drawn(*problem, 4, 0, x.to(at::kFloat));
  expect_near(in_float.gradients, all.gradients, 1e-5);
}

TEST(AnalyticProblems, QuadraticsDifferBetweenWorkersBySpread) {
  const auto problem = problem_of("quadratic(least=1, spread=2, noise=0)", {.workers = 2000});
  const at::Tensor x = at::zeros({2000, 5}, at::kDouble);
  const at::Tensor centres = -drawn(*problem, 0, 0, x).gradients;
  EXPECT_NEAR(centres.std().item<double>(), 2, 0.1);
  expect_near(centres.mean(0), problem->optimum()->point, 1e-14);
}

}  // namespace
}  // namespace entrain
