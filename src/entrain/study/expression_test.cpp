#include "entrain/study/expression.h"

#include <gtest/gtest.h>

#include "entrain/core/seeds.h"
#include "entrain/core/test_refusal.h"
#include "entrain/study/evaluate.h"

namespace entrain {
namespace {

double value(const std::string& text) {
  return evaluate(parse_relation(text + " < 0").left, {}, {0}).low;
}

std::string refusal(const std::string& text) {
  return refusal_of([&] { parse_relation(text); });
}

TEST(Expression, Arithmetic) {
  EXPECT_DOUBLE_EQ(value("1 + 2 * 3"), 7);
  EXPECT_DOUBLE_EQ(value("(1 + 2) * 3"), 9);
  EXPECT_DOUBLE_EQ(value("10 - 2 - 3"), 5);
  EXPECT_DOUBLE_EQ(value("8 / 2 / 2"), 2);
  EXPECT_DOUBLE_EQ(value("2 ^ 3 ^ 2"), 512);
  EXPECT_DOUBLE_EQ(value("-2 ^ 2"), -4);
  EXPECT_DOUBLE_EQ(value("2 ^ -1"), 0.5);
  EXPECT_DOUBLE_EQ(value("- -3"), 3);
  EXPECT_DOUBLE_EQ(value("1.5e3 * .5"), 750);
  EXPECT_DOUBLE_EQ(value("max(1, sqrt(16), 2) - min(3, 2)"), 2);
  EXPECT_DOUBLE_EQ(value("log(exp(2))"), 2);
  EXPECT_NEAR(value("slope([1, 2, 4], [3, 6, 12])"), 1, 1e-12);
}

TEST(Expression, Relations) {
  using Kind = Relation::Kind;
  EXPECT_EQ(parse_relation("1 < 2").kind, Kind::less);
  EXPECT_EQ(parse_relation("1<=2").kind, Kind::less_or_equal);
  EXPECT_EQ(parse_relation("1 > 2").kind, Kind::greater);
  EXPECT_EQ(parse_relation("1>=2").kind, Kind::greater_or_equal);
  const Relation within = parse_relation("sqrt(4) in [-1.5, 2]");
  EXPECT_EQ(within.kind, Kind::within);
  EXPECT_EQ(within.low, -1.5);
  EXPECT_EQ(within.high, 2);
}

TEST(Expression, ArgumentsByPositionOrName) {
  for (const char* text : {"transient(excess, 'a', 'b', 3) < 1",
                           "transient(excess, variant='a', reference = 'b', factor=3) < 1",
                           "transient('excess', factor=3, reference=\"b\", variant=a) < 1"}) {
    const Expression call = parse_relation(text).left;
    ASSERT_EQ(call.parts.size(), 4u) << text;
    EXPECT_EQ(call.parts[0].name, "excess") << text;
    EXPECT_EQ(call.parts[1].name, "a") << text;
    EXPECT_EQ(call.parts[2].name, "b") << text;
    EXPECT_EQ(call.parts[3].number, 3) << text;
  }
}

TEST(Expression, ReadsOfARelation) {
  const auto reads = reads_of(parse_relation(
      "slope([1, 2], [mean(x, 'a'), mean(x, 'b', from=3)]) < transient(y, 'c', 'd') / 2"));
  ASSERT_EQ(reads.size(), 4u);
  EXPECT_EQ(reads[0].variant, "a");
  EXPECT_FALSE(reads[0].of_curve);
  EXPECT_TRUE(reads[1].of_curve);
  EXPECT_EQ(reads[2].variant, "c");
  EXPECT_EQ(reads[3].variant, "d");
  EXPECT_EQ(reads[3].metric, "y");
}

TEST(Expression, RefusalsSayWhatAndWhere) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "column 1: a number, a function or '(' is missing"},
      {"1 + 2", "a claim is a comparison"},
      {"1 == 2", "column 3: a claim is a comparison"},
      {"1 < 2 < 3", "nothing may follow"},
      {"maen(x, 'a') < 1", "column 1: unknown function 'maen'; did you mean 'mean'?"},
      {"mean(x) < 1", "mean: variant is missing"},
      {"mean('a', 'b', 1, 2, 3, 4) < 1", "mean: too many arguments"},
      {"mean(x, 'a', form=3) < 1", "mean: unknown argument 'form'; did you mean 'from'?"},
      {"mean(x, 'a', variant='b') < 1", "mean: variant is given twice"},
      {"mean(3, 'a') < 1", "mean: metric is a metric"},
      {"mean(x, 3) < 1", "mean: variant is a variant in quotes"},
      {"mean(x, 'a < 1", "this quote is not closed"},
      {"excess < 1", "'excess' alone is no number"},
      {"[1] < 1", "a list is for slope"},
      {"slope([1], [2]) < 1", "slope: two lists of equal length, at least 2"},
      {"slope([1, 2], [2]) < 1", "slope: two lists of equal length"},
      {"1 in [2, 1]", "the range of 'in' is [low, high]"},
      {"1 in [x, 1]", "a number is missing"},
      {"max() < 1", "max: an argument is missing"},
      {"1e999 < 1", "too large"},
      {std::string(5000, '1') + " < 1", "over 4000 characters"},
      {std::string(3000, '(') + "1", "nested too deeply"},
      {std::string(3000, '-') + "1 < 2", "nested too deeply"}};
  for (const auto& [text, part] : cases) {
    EXPECT_NE(refusal(text).find(part), std::string::npos) << text << "\n" << refusal(text);
  }
}

// Tokens at random, most of which make no sense, end in a value or in a UsageError.
TEST(Expression, HostileTexts) {
  const std::vector<std::string> tokens = {
      "mean(", "log(",  "slope(", "max(", "transient(", "[", "]",    "(",   ")",  ",",  "'a'",
      "'b'",   "x",     "1",      "0",    "-3.5",       "+", "-",    "*",   "/",  "^",  "<",
      "<=",    " in ",  "[0, 1]", "at=",  "from = ",    "'", "\"",   "1e9", "é",  ";",  "time_to(",
      "sqrt(", "min(1", "exp(",   ">=",   "variance(",  " ", "\n\t", "\0x", "1e", "inf"};
  Results results;
  for (const char* variant : {"a", "b"}) {
    RunFigures run{.last = {{"x", 2}}};
    run.evaluations = {{.step = 1, .seconds = 1, .figures = {{"x", 3}}},
                       {.step = 2, .seconds = 2, .figures = {{"x", 2}}}};
    results[variant] = {run, run};
  }
  Stream random(3, Purpose::sample);
  int parsed = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string text;
    for (std::uint64_t n = random.below(12); n-- > 0;) text += tokens[random.below(tokens.size())];
    if (i % 2) text += " < 1";
    try {
      const Relation relation = parse_relation(text);
      const auto reads = reads_of(relation);
      if (std::all_of(reads.begin(), reads.end(),
                      [&](const MetricRead& read) { return results.contains(read.variant); })) {
        evaluate(relation.left, results, {0, 1});
        evaluate(relation.right, results, {0, 1});
      }
      ++parsed;
    } catch (const UsageError& error) {
      EXPECT_GT(std::string(error.what()).size(), 10u);
    }
  }
  EXPECT_GT(parsed, 100);
}

}  // namespace
}  // namespace entrain
