#include "entrain/study/claims.h"

#include <gtest/gtest.h>

#include <cmath>

#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

using Numbers = std::vector<double>;

// A run whose metric x takes these values at steps 10, 20, ..., two seconds a step.
RunFigures run_of(const Numbers& curve) {
  RunFigures run{.last = {{"x", curve.back()}}};
  for (const double value : curve) {
    const auto step = static_cast<std::int64_t>(10 * (run.evaluations.size() + 1));
    run.evaluations.push_back({step, 2.0 * static_cast<double>(step), {{"x", value}}});
  }
  return run;
}

std::vector<RunFigures> runs_of(const std::vector<Numbers>& curves) {
  std::vector<RunFigures> runs;
  for (const Numbers& curve : curves) runs.push_back(run_of(curve));
  return runs;
}

std::vector<RunFigures> last_values(const Numbers& values) {
  std::vector<RunFigures> runs;
  for (const double value : values) runs.push_back(run_of({value}));
  return runs;
}

Claim claim_of(const std::string& holds) {
  Claim claim{.text = "t", .origin = "s.toml:7", .holds = holds};
  claim.relation = parse_relation(holds);
  return claim;
}

Finding judged(const std::string& holds, const Results& results, const TunedVariants& tuned = {}) {
  static std::vector<std::unique_ptr<Claim>> kept;  // the finding points to it
  kept.push_back(std::make_unique<Claim>(claim_of(holds)));
  return judge(*kept.back(), results, tuned);
}

Verdict verdict(const std::string& holds, const Results& results) {
  return judged(holds, results).verdict;
}

double over_all(const std::string& expression, const Results& results) {
  return judged(expression + " < 0", results).left.low;
}

TEST(Claims, FunctionsOfRuns) {
  const Results results = {{"a", runs_of({{9, 4, 2, 1}, {8, 6, 3, 3}})},
                           {"ref", runs_of({{4, 2, 1, 1}, {4, 4, 1, 1}})}};
  EXPECT_DOUBLE_EQ(over_all("mean(x, 'a')", results), 2);
  EXPECT_DOUBLE_EQ(over_all("mean(x, 'a', at=20)", results), 5);
  EXPECT_DOUBLE_EQ(over_all("mean(x, 'a', from=20, to=30)", results), 3.75);
  EXPECT_DOUBLE_EQ(over_all("mean(x, 'a', from=30)", results), 2.25);
  EXPECT_DOUBLE_EQ(over_all("highest(x, 'a')", results), 8.5);
  EXPECT_DOUBLE_EQ(over_all("lowest(x, 'a', to=20)", results), 5);
  EXPECT_DOUBLE_EQ(over_all("variance(x, 'a')", results), 2);
  EXPECT_DOUBLE_EQ(over_all("steps_to(x, 6, 'a')", results), 20);
  EXPECT_DOUBLE_EQ(over_all("time_to(x, 3, 'a')", results), 60);
  // Seed 1: 9 > 8, then 4 <= 4, 2 <= 2, 1 <= 2: from step 20. Seed 2: 8 <= 8, 6 <= 8, but 3 > 2.
  const Finding transient = judged("transient(x, 'a', 'ref') < 100", results);
  EXPECT_DOUBLE_EQ(transient.left.low, 30);  // the mean of 20 and at least 40
  EXPECT_EQ(transient.left.high, unbounded);
  EXPECT_EQ(transient.left_times.cut_off, 1);
  EXPECT_EQ(transient.left_times.all, 2);
  EXPECT_EQ(transient.verdict, Verdict::inconclusive);
  EXPECT_EQ(transient.why, "1 of 2 times are censored by the end of the run");
  EXPECT_DOUBLE_EQ(over_all("transient(x, 'a', 'ref', factor=3)", results), 10);
}

// When a figure that is no number somewhere reached a level is not known, not even to be late.
TEST(Claims, AGapInACurveDecidesNothing) {
  const double gap = std::nan("");
  const Results results = {{"gaps", runs_of({{gap, gap, gap}, {gap, gap, gap}})},
                           {"gap", runs_of({{9, gap, 1}, {9, gap, 1}})},
                           {"soon", runs_of({{1, 1, 1}, {1, 1, 1}})}};
  for (const char* late : {"gaps", "gap"}) {
    const std::string than = " > steps_to(x, 5, 'soon')";
    EXPECT_EQ(verdict(fmt::format("steps_to(x, 0.5, '{}')", late) + than, results),
              Verdict::inconclusive);
    EXPECT_EQ(verdict(fmt::format("transient(x, '{}', 'soon')", late) + than, results),
              Verdict::inconclusive);
    EXPECT_EQ(verdict(fmt::format("transient(x, 'soon', '{}')", late) + than, results),
              Verdict::inconclusive);
  }
  EXPECT_EQ(verdict("transient(x, 'soon', 'soon', factor=0/0) > 5", results),
            Verdict::inconclusive);
}

TEST(Claims, ByTheIntervalOfThePairedDifference) {
  // Differences 1, 2, 3, 2, 2: mean 2, deviation sqrt(0.5); half the interval is 0.878.
  const Results results = {{"a", last_values({11, 22, 33, 42, 52})},
                           {"b", last_values({10, 20, 30, 40, 50})}};
  const Finding finding = judged("mean(x, 'a') > mean(x, 'b')", results);
  EXPECT_EQ(finding.verdict, Verdict::holds);  // pairs, not the 15 between the seeds
  EXPECT_DOUBLE_EQ(finding.difference.value.low, 2);
  EXPECT_NEAR(finding.difference.spread, 2.776445 * std::sqrt(0.5 / 5), 1e-6);
  EXPECT_EQ(finding.seeds, 5);
  EXPECT_EQ(verdict("mean(x, 'a') < mean(x, 'b')", results), Verdict::fails);
  EXPECT_EQ(verdict("mean(x, 'a') <= mean(x, 'b')", results), Verdict::fails);
  EXPECT_EQ(verdict("mean(x, 'a') >= mean(x, 'b')", results), Verdict::holds);
  EXPECT_EQ(verdict("mean(x, 'a') > mean(x, 'b') + 1.2", results), Verdict::inconclusive);
  EXPECT_EQ(verdict("mean(x, 'a') > mean(x, 'b') + 1.1", results), Verdict::holds);
  EXPECT_EQ(verdict("mean(x, 'a') - mean(x, 'b') in [1.1, 2.9]", results), Verdict::holds);
  EXPECT_EQ(verdict("mean(x, 'a') - mean(x, 'b') in [1.2, 2.9]", results), Verdict::inconclusive);
  EXPECT_EQ(verdict("mean(x, 'a') - mean(x, 'b') in [3, 4]", results), Verdict::fails);
}

TEST(Claims, NumbersThatDoNotVary) {
  const Results results = {{"a", last_values({0.1, 0.1, 0.1})},
                           {"b", last_values({0.1, 0.1, 0.1})}};
  EXPECT_EQ(verdict("mean(x, 'a') <= mean(x, 'b')", results), Verdict::holds);
  EXPECT_EQ(verdict("mean(x, 'a') >= mean(x, 'b')", results), Verdict::holds);
  EXPECT_EQ(verdict("mean(x, 'a') < mean(x, 'b')", results), Verdict::fails);
  EXPECT_EQ(verdict("mean(x, 'a') in [0.1, 0.1]", results), Verdict::holds);
}

// A censored time is as long or longer: it decides what only gets truer (or falser) by that.
TEST(Claims, CensoredTimes) {
  const Results results = {{"soon", runs_of({{5, 1, 1}, {5, 1, 1}, {5, 1, 1}})},
                           {"never", runs_of({{5, 5, 5}, {5, 5, 5}, {5, 5, 5}})},
                           {"some", runs_of({{5, 5, 5}, {5, 1, 1}, {5, 1, 1}})}};
  const auto steps = [](const std::string& variant) { return "steps_to(x, 1, '" + variant + "')"; };
  EXPECT_EQ(verdict(steps("soon") + " < " + steps("never"), results), Verdict::holds);
  EXPECT_EQ(verdict(steps("soon") + " > " + steps("never"), results), Verdict::fails);
  EXPECT_EQ(verdict(steps("never") + " > " + steps("soon"), results), Verdict::holds);
  EXPECT_EQ(verdict(steps("never") + " > 2 * " + steps("soon"), results), Verdict::inconclusive);
  EXPECT_EQ(verdict(steps("never") + " < 1000", results), Verdict::inconclusive);
  EXPECT_EQ(verdict(steps("never") + " < 29", results), Verdict::fails);
  EXPECT_EQ(verdict(steps("never") + " in [0, 1000]", results), Verdict::inconclusive);
  EXPECT_EQ(verdict(steps("never") + " in [0, 29]", results), Verdict::fails);
  EXPECT_EQ(verdict(steps("never") + " - " + steps("some") + " > -1000", results),
            Verdict::inconclusive);
  EXPECT_EQ(verdict("1 / " + steps("never") + " < 0.04", results), Verdict::holds);
  EXPECT_EQ(verdict("min(25, " + steps("never") + ") in [25, 25]", results), Verdict::holds);
  EXPECT_EQ(verdict("log(" + steps("never") + ") > log(29)", results), Verdict::holds);
  const Finding finding = judged(steps("some") + " < 1000", results);
  EXPECT_EQ(finding.left_times.cut_off, 1);
  EXPECT_DOUBLE_EQ(finding.left.low, 70.0 / 3);
  EXPECT_EQ(finding.why, "1 of 3 times are censored by the end of the run");
}

TEST(Claims, DivergedRunsAndNumbersThatAreNone) {
  Results results = {{"a", last_values({1, 2, 3})}, {"b", last_values({5, 6, 7})}};
  results["a"][1] = {.diverged = true};
  const Finding diverged = judged("mean(x, 'a') < mean(x, 'b')", results);
  EXPECT_EQ(diverged.verdict, Verdict::inconclusive);
  EXPECT_EQ(diverged.why, "1 of 3 runs of 'a' diverged");
  EXPECT_EQ(verdict("max(0, mean(x, 'a')) > -1", results), Verdict::inconclusive);
  EXPECT_EQ(verdict("mean(x, 'b') > 3", results), Verdict::holds);
  const Finding none = judged("log(0 - mean(x, 'b')) < 1", results);
  EXPECT_EQ(none.verdict, Verdict::inconclusive);
  EXPECT_EQ(none.why, "the value is not a number");
  const Finding infinite = judged("1 / (mean(x, 'b') - 6) > 1", results);
  EXPECT_EQ(infinite.verdict, Verdict::inconclusive);
  EXPECT_EQ(infinite.why, "the value is not finite");
}

TEST(Claims, TuningInDoubt) {
  const Results results = {{"a", last_values({1, 2, 3})}, {"b", last_values({5, 6, 7})}};
  const std::string doubt = "lr of 'b' is best at the edge of its grid: 3";
  const Finding finding =
      judged("mean(x, 'a') < mean(x, 'b')", results, {{"b", {"3", {3, 2, 1}, doubt}}});
  EXPECT_EQ(finding.verdict, Verdict::inconclusive);
  EXPECT_EQ(finding.why, doubt);
  EXPECT_DOUBLE_EQ(finding.difference.value.low, -4);  // shown all the same
}

TEST(Claims, AsDeclared) {
  Claim claim = claim_of("mean(x, 'a') < 0");
  claim.expected = Verdict::fails;
  EXPECT_TRUE(judge(claim, {{"a", last_values({11, 12, 13})}}, {}).as_expected());
  EXPECT_FALSE(judge(claim, {{"a", last_values({-11, -12, -13})}}, {}).as_expected());
  EXPECT_FALSE(judge(claim, {{"a", last_values({-1, 2, 3})}}, {}).as_expected());
}

TEST(Claims, StepsThatWereNotEvaluated) {
  const Results results = {{"a", runs_of({{3, 2, 1}, {3, 2, 1}})},
                           {"b", runs_of({{3, 2}, {3, 2}})}};
  const auto refusal = [&](const std::string& text) {
    return refusal_of([&] { judged(text, results); });
  };
  EXPECT_EQ(refusal("mean(x, 'a', at=15) < 1"),
            "s.toml:7: claim 't': mean: 'a' has no evaluation at step 15; its 3 evaluations are at "
            "steps 10 to 30");
  EXPECT_NE(refusal("highest(x, 'a', from=40) < 1").find("no evaluation from step 40"),
            std::string::npos);
  EXPECT_NE(refusal("transient(x, 'a', 'b') < 1").find("not evaluated at the same steps"),
            std::string::npos);
}

TEST(Claims, UnknownMetrics) {
  const RunFigures run = run_of({3, 2, 1});
  require_metric({"x", "a", true}, run);
  require_metric({"y", "a"}, {.diverged = true});
  EXPECT_EQ(
      refusal_of([&] {
        require_metric({"exces", "a"}, {.last = {{"excess", 1}, {"z", 2}}});
      }),
      "the results of 'a' have no metric 'exces'; did you mean 'excess'? There is: excess, z");
  EXPECT_NE(refusal_of([&] {
              require_metric({"z", "a", true}, {.last = {{"z", 2}}});
            }).find("the evaluations of 'a' have no metric 'z'"),
            std::string::npos);
}

TEST(Tuning, TheSmallestMean) {
  const Tuning tuning{.name = "lr", .grid = {"0.1", "0.3", "1"}, .metric = "x", .origin = ""};
  const auto best = [&](const std::vector<Numbers>& values) {
    std::vector<std::vector<RunFigures>> runs;
    for (const Numbers& of_value : values) runs.push_back(last_values(of_value));
    return best_of(tuning, "v", runs);
  };
  const Tuned middle = best({{3, 3}, {1, 2}, {2, 2}});
  EXPECT_EQ(middle.value, "0.3");
  EXPECT_EQ(middle.doubt, "");
  EXPECT_EQ(middle.means, (Numbers{3, 1.5, 2}));
  EXPECT_EQ(best({{3, 3}, {2, 2}, {1, 2}}).doubt, "lr of 'v' is best at the edge of its grid: 1");
  EXPECT_EQ(best({{1, 1}, {2, 2}, {1, 2}}).doubt, "lr of 'v' is best at the edge of its grid: 0.1");
  EXPECT_EQ(best({{3, 3}, {2, 2}, {2, 2}}).doubt, "lr of 'v' is best at the edge of its grid: 1");
  const double none = not_a_number;
  EXPECT_EQ(best({{3, 3}, {2, none}, {4, 4}}).value, "0.1");
  EXPECT_EQ(best({{3, none}, {2, none}, {none, 4}}).doubt,
            "lr of 'v': every value of its grid diverged");
}

TEST(Tuning, RunsThatDiverged) {
  const Tuning tuning{.name = "lr", .grid = {"0.1", "0.3", "1"}, .metric = "x", .origin = ""};
  std::vector<std::vector<RunFigures>> runs = {last_values({3, 3}), last_values({2, 2}),
                                               last_values({1, 1})};
  runs[2][0] = {.diverged = true};
  const Tuned tuned = best_of(tuning, "v", runs);
  EXPECT_EQ(tuned.value, "0.3");
  EXPECT_EQ(tuned.means[2], unbounded);
  EXPECT_EQ(tuned.doubt, "");
}

}  // namespace
}  // namespace entrain
