#include "entrain/model/problem.h"

#include <gtest/gtest.h>

#include "entrain/core/test_refusal.h"
#include "entrain/model/test_problems.h"

namespace entrain {
namespace {

struct Refused {
  const char *text, *because;
};

TEST(Problem, RefusesNonsenseWithTheValue) {
  const std::vector<Refused> cases = {
      {"quadratic(dimension=0)", "dimension = 0"},
      {"quadratic(least=2)", "least = 2, most = 1"},
      {"quadratic(noise=-1)", "noise = -1"},
      {"quadratic(spread=-0.5)", "spread = -0.5"},
      {"sine(dimension=-3)", "dimension = -3"},
      {"least_squares(dimension=5, rank=6)", "rank = 6"},
      {"least_squares(rank=0)", "rank = 0"},
      {"least_squares(samples=0)", "samples = 0"},
      {"least_squares(condition=0.5)", "condition = 0.5"},
      {"logistic(dimension=0)", "dimension = 0"},
      {"logistic(lambda=-0.1)", "lambda = -0.1"},
      {"logistic(norm=-4)", "norm = -4"},
      {"logistic(rows=long)", "rows = long"},
      {"logistic(start=here)", "start = here"},
      {"logistic(seed=-2)", "seed = -2"},
      {"logistic(samples=2.5)", "2.5"},
      {"logistic(size=3)", "size"},
      {"logistic(samples=1e12)", "samples = 1000000000000"},
      {"heterogeneous_logistic(spread=1.5)", "spread = 1.5"},
      {"heterogeneous_logistic(rho=-1)", "rho = -1"},
      {"heterogeneous_logistic(rho=0.1, start=optimum)", "start = optimum with rho = 0.1"},
      {"softmax_regression(classes=1)", "classes = 1"},
      {"libsvm(8)", "name = 8"},
      {"libsvm", "name"},
      {"libsvm(a9a, lambda=-1)", "lambda = -1"},
      {"rosenbrock", "rosenbrock"}};
  for (const Refused& one : cases) {
    const std::string message = refusal_of([&] { build_problem(parse_value(one.text)); });
    EXPECT_NE(message.find(one.because), std::string::npos) << one.text << ": " << message;
  }
}

TEST(Problem, RefusesRunsThatItIsNotFor) {
  for (const char* text :
       {"quadratic", "sine", "logistic", "heterogeneous_logistic", "least_squares"}) {
    const auto refusal = [&](const ProblemFacts& facts) {
      return refusal_of([&] { problem_of(text, facts); });
    };
    EXPECT_NE(refusal({.workers = 0}).find("workers = 0"), std::string::npos) << text;
    EXPECT_NE(refusal({.batch = -1}).find("batch = -1"), std::string::npos) << text;
    EXPECT_NE(refusal({.type = at::kHalf}).find("Half"), std::string::npos) << text;
    EXPECT_NE(refusal({.partition = "skew(0.64)"}).find("'skew(0.64)' has nothing to deal"),
              std::string::npos)
        << text << ": " << refusal({.partition = "skew(0.64)"});
  }
  EXPECT_NE(refusal_of([] {
              problem_of("heterogeneous_logistic(samples=100000000)", {.workers = 100});
            }).find("samples = 100000000 for each of 100 workers"),
            std::string::npos);
  EXPECT_NE(refusal_of<DataError>([] {
              problem_of("libsvm(a1b)", {.data_root = "nowhere"});
            }).find("nowhere"),
            std::string::npos);
}

TEST(Problem, ChoicesBuildFromTheirNamesAndSayWhatTheyAre) {
  for (const auto& choice : problem_choices()) {
    EXPECT_GT(choice.meaning.size(), 20u);
    if (choice.name == "libsvm") continue;
    const auto problem = problem_of(choice.name, {.workers = 2});
    const at::Tensor start = problem->start();
    EXPECT_EQ(start.numel(), problem->dimension()) << choice.name;
    const auto least = problem->optimum();
    ASSERT_TRUE(least) << choice.name;
    EXPECT_LT(least->value, problem->objective(start.unsqueeze(0)).item<double>()) << choice.name;
  }
}

}  // namespace
}  // namespace entrain
