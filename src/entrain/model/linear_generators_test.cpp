#include "entrain/model/linear_generators.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "entrain/core/files.h"
#include "entrain/core/test_folder.h"
#include "entrain/core/test_refusal.h"
#include "entrain/model/test_problems.h"

namespace entrain {
namespace {

double norm_at(const Problem& problem, const at::Tensor& x) {
  return problem.gradient(x).norm().item<double>();
}

// The curvature of f at 0 is E[h h'] / 4 for a logistic loss, E[h h'] for a squared one.
at::Tensor curvature_at_zero(const Problem& problem) {
  std::vector<at::Tensor> rows;
  for (std::int64_t j = 0; j < problem.dimension(); ++j) {
    at::Tensor step = at::zeros({problem.dimension()}, at::kDouble);
    step[j] = 1e-4;
    rows.push_back((problem.gradient(step) - problem.gradient(-step)) / 2e-4);
  }
  return at::stack(rows);
}

// How far the workers' own gradients part at the optimum of all, with batches that leave little
// noise.
double heterogeneity(const std::string& text) {
  const auto problem = problem_of(text, {.workers = 20, .batch = 20'000});
  const at::Tensor x = problem->optimum()->point.expand({20, -1}).contiguous();
  return drawn(*problem, 0, 0, x).gradients.pow(2).sum(1).mean().item<double>();
}

TEST(LogisticGenerator, MakesLabelsByTheModel) {
  const auto problem = problem_of("logistic(samples=100000, norm=4, bias=1, lambda=0)", {});
  const auto least = problem->optimum();
  ASSERT_TRUE(least);
  const at::Tensor x = least->point;
  ASSERT_EQ(x.numel(), 21);
  EXPECT_NEAR(x.narrow(0, 0, 20).norm().item<double>(), 4, 0.15);
  EXPECT_NEAR(x[20].item<double>(), 1, 0.06);
  EXPECT_NEAR(4 * curvature_at_zero(*problem).trace().item<double>(), 21, 0.15);
}

// The setting of Haddadpour et al.'s test: mu at the optimum is 0.044.
TEST(LogisticGenerator, HasTheCurvatureOfItsSetting) {
  const auto problem = problem_of("logistic(start=optimum)", {});
  const at::Tensor x = problem->start();
  std::vector<at::Tensor> rows;
  for (std::int64_t j = 0; j < 21; ++j) {
    at::Tensor step = at::zeros({21}, at::kDouble);
    step[j] = 1e-4;
    rows.push_back((problem->gradient(x + step) - problem->gradient(x - step)) / 2e-4);
  }
  const at::Tensor eigenvalues = std::get<0>(at::linalg_eigh(at::stack(rows)));
  EXPECT_NEAR(eigenvalues[0].item<double>(), 0.044, 0.003);
}

TEST(LogisticGenerator, MakesRowsOfLengthOneAndDecayingFeatures) {
  const auto unit = problem_of("logistic(rows=unit, bias=none, lambda=0)", {});
  ASSERT_EQ(unit->dimension(), 20);
  EXPECT_NEAR(4 * curvature_at_zero(*unit).trace().item<double>(), 1, 1e-6);
  const auto decaying =
      problem_of("logistic(samples=50000, dimension=4, bias=none, decay=1, lambda=0)", {});
  const at::Tensor variances = 4 * curvature_at_zero(*decaying).diag();
  expect_near(variances, at::tensor({1.0, 0.5, 1 / 3.0, 0.25}, at::kDouble), 0.03);
}

TEST(LogisticGenerator, DealsItsSamplesOrSharesThem) {
  const ProblemFacts facts = {.workers = 4, .batch = 40'000};
  const at::Tensor x = numbers({21}).expand({4, 21}).contiguous();
  const auto spread = [&](const char* text) {
    return drawn(*problem_of(text, facts), 0, 0, x).losses.std().item<double>();
  };
  EXPECT_LT(spread("logistic(samples=400)"), 0.05);
  EXPECT_GT(spread("logistic(samples=400, shared=false)"), 0.1);
  const at::Tensor points = numbers({5, 21});
  expect_near(problem_of("logistic(samples=400)", facts)->objective(points),
              problem_of("logistic(samples=400, shared=false)", facts)->objective(points), 1e-14);
}

// A worker with 64 % of a class has a gradient of its own; f is the mean over the workers all the
// same, also where their shards differ in size.
TEST(Generators, AreDealtByThePartition) {
  const at::Tensor x = numbers({16, 200}, 0.1), zero = at::zeros({16, 200}, at::kDouble);
  const auto dealt = [](const char* partition) {
    return problem_of("softmax_regression",
                      {.workers = 16, .batch = 10'000, .partition = partition});
  };
  const auto parted = [&](const char* partition) {
    const at::Tensor own = drawn(*dealt(partition), 0, 0, zero).gradients;
    return (own - own.mean(0)).pow(2).sum(1).mean().item<double>();
  };
  EXPECT_GT(parted("skew(0.64)"), 4 * parted("iid"));
  const auto unequal = dealt("unequal(20)");
  const at::Tensor point = x[0];
  const Drawn own = drawn(*unequal, 0, 0, point.expand({16, 200}).contiguous());
  EXPECT_NEAR(own.losses.mean().item<double>(),
              unequal->objective(point.unsqueeze(0)).item<double>(), 0.01);
  expect_near(own.gradients.mean(0), unequal->gradient(point), 0.01);
  EXPECT_NE(refusal_of([&] { dealt("skew(2)"); }).find("skew(2)"), std::string::npos);
  EXPECT_NE(refusal_of([&] { dealt("evenly"); }).find("evenly"), std::string::npos);
}

TEST(Generators, MakeDataOfTheirSeedOrOfTheRuns) {
  const at::Tensor at = numbers({1, 10});
  const auto value = [&](const std::string& text, std::uint64_t seed) {
    return problem_of(text, {.seed = seed})->objective(at).item<double>();
  };
  for (const std::string text : {"logistic(bias=none, dimension=10, ", "least_squares(10, 5, ",
                                 "heterogeneous_logistic(", "softmax_regression(2, 5, "}) {
    EXPECT_EQ(value(text + "seed=3)", 1), value(text + "seed=3)", 2));
    EXPECT_NE(value(text + "seed=3)", 1), value(text + "seed=4)", 1));
    EXPECT_EQ(value(text + "seed=run)", 3), value(text + "seed=3)", 1));
    EXPECT_NE(value(text + "seed=run)", 3), value(text + "seed=run)", 4));
  }
}

// Equal models: |grad f_i|^2 at the optimum is d / (4 M) or so, 0.005; different ones add to it.
TEST(HeterogeneousGenerator, PartsTheWorkersByItsSpread) {
  const double same = heterogeneity("heterogeneous_logistic(spread=0)");
  const double half = heterogeneity("heterogeneous_logistic(spread=0.5)");
  const double all = heterogeneity("heterogeneous_logistic(spread=1)");
  EXPECT_NEAR(same, 10 / 4.0 / 500, 0.002);
  EXPECT_GT(half, same + 0.005);
  EXPECT_GT(all, half + 0.01);
}

TEST(HeterogeneousGenerator, HasTheScaleOfItsFeaturesAndItsPenalties) {
  const auto problem =
      problem_of("heterogeneous_logistic(scale=10, samples=20000)", {.workers = 2});
  EXPECT_NEAR(4 * curvature_at_zero(*problem).trace().item<double>(), 100, 2);
  const at::Tensor x = at::full({1, 10}, 2, at::kDouble);
  const auto at = [&](const char* text) {
    return problem_of(text, {.workers = 2})->objective(x).item<double>();
  };
  const double plain = at("heterogeneous_logistic");
  EXPECT_NEAR(at("heterogeneous_logistic(lambda=0.1)"), plain + 0.1 / 2 * 40, 1e-13);
  EXPECT_NEAR(at("heterogeneous_logistic(rho=0.5)"), plain + 0.5 * 10 * 4 / 5, 1e-13);
}

TEST(HeterogeneousGenerator, GivesAWorkerTheSameSamplesWhateverTheirNumber) {
  const at::Tensor x = numbers({2, 10});
  const auto drawn_of = [&](int workers) {
    return drawn(*problem_of("heterogeneous_logistic", {.workers = workers}), 3, 0, x).gradients;
  };
  EXPECT_TRUE(drawn_of(2).equal(drawn_of(7)));
}

TEST(SoftmaxGenerator, HasAsManySamplesOfEachClassAndLearnsThem) {
  const auto problem =
      problem_of("softmax_regression(classes=4, dimension=3, separation=6)", {.workers = 5});
  ASSERT_EQ(problem->dimension(), 12);
  const at::Tensor zero = at::zeros({12}, at::kDouble);
  EXPECT_NEAR(problem->objective(zero.unsqueeze(0)).item<double>(), std::log(4), 1e-14);
  // At 0 the gradient of a class is (mean of h - mean of h in the class) / 4.
  const at::Tensor means = -4 * problem->gradient(zero).reshape({4, 3});
  EXPECT_NEAR(means.sum().item<double>(), 0, 1e-13);
  EXPECT_GT(means.norm(2, 1).min().item<double>(), 2);
  EXPECT_LT(problem->optimum()->value, 0.3);
}

TEST(LeastSquaresGenerator, InterpolatesInASubspace) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const auto problem = problem_of("least_squares(dimension=12, rank=5, condition=4)",
                                    {.workers = 2, .type = type});
    const auto least = problem->optimum();
    ASSERT_TRUE(least);
    EXPECT_EQ(least->value, 0);
    EXPECT_LE(problem->objective(least->point.unsqueeze(0)).item<double>(), 1e-30);
    EXPECT_NEAR(least->point.norm().item<double>(), 1, 1e-14);
    EXPECT_LE(norm_at(*problem, least->point), 1e-15);
    const at::Tensor eigenvalues = std::get<0>(at::linalg_eigh(curvature_at_zero(*problem)));
    EXPECT_LT(eigenvalues[6].item<double>(), 1e-10) << "12 - 5 directions are flat";
    EXPECT_NEAR(eigenvalues[7].item<double>(), 0.25, 0.03);
    EXPECT_NEAR(eigenvalues[11].item<double>(), 1, 0.1);
  }
}

TEST(LeastSquaresGenerator, HasANoiseThatNoPointFits) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const auto problem =
        problem_of("least_squares(12, 5, noise=0.3, shared=false)", {.workers = 2, .type = type});
    const auto least = problem->optimum();
    ASSERT_TRUE(least);
    EXPECT_NEAR(least->value, 0.3 * 0.3 / 2, 0.005);
    EXPECT_LE(norm_at(*problem, least->point), 1e-12);
  }
}

TEST(LibsvmProblem, WithManyClassesIsSoftmaxRegression) {
  const TestFolder folder;
  std::filesystem::create_directory(folder / "libsvm");
  write_whole(folder / "libsvm/three", "1 1:2 3:1\n2 2:1\n5 1:-1 2:3\n2 3:0.5\n");
  const auto problem =
      problem_of("libsvm(three, lambda=0.5)", {.data_root = folder.path().string()});
  ASSERT_EQ(problem->dimension(), 9);
  const at::Tensor zero = at::zeros({9}, at::kDouble);
  EXPECT_NEAR(problem->objective(zero.unsqueeze(0)).item<double>(), std::log(3), 1e-15);
  expect_near(problem->gradient(zero).reshape({3, 3})[0] * 12,
              at::tensor({1.0 - 6, 4.0, 1.5 - 3}, at::kDouble), 1e-14);
}

}  // namespace
}  // namespace entrain
