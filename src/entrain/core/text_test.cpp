#include "entrain/core/text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"

namespace entrain {
namespace {

/// The message of the UsageError that `run` throws; empty if it throws none.
template <class Run>
std::string refusal(Run run) {
  try {
    run();
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

std::string parse_refusal(std::string_view text) {
  return refusal([&] { parse_value(text); });
}

bool same(const Value& a, const Value& b) {
  const auto same_argument = [](const Argument& x, const Argument& y) {
    return x.name == y.name && same(x.value, y.value);
  };
  return a.kind == b.kind && a.name == b.name &&
         std::bit_cast<std::uint64_t>(a.number) == std::bit_cast<std::uint64_t>(b.number) &&
         std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(),
                    same_argument);
}

std::string round_trip(std::string_view text) { return print(parse_value(text)); }

Arguments bound(std::string_view text, const std::vector<Parameter>& parameters,
                const RunFacts& facts = {}) {
  return Arguments(parse_value(text), parameters, facts);
}

std::string bind_refusal(std::string_view text, const std::vector<Parameter>& parameters) {
  return refusal([&] { bound(text, parameters); });
}

const std::vector<Parameter> one{{"h"}};
const std::vector<Parameter> overlap{{"h"}, {"alpha", "0.6"}, {"beta", "0.7"}};

TEST(TextParse, Numbers) {
  EXPECT_EQ(parse_value("8").number, 8);
  EXPECT_EQ(parse_value("-1").number, -1);
  EXPECT_EQ(parse_value("1e-4").number, 1e-4);
  EXPECT_EQ(parse_value("1E3").number, 1000);
  EXPECT_EQ(parse_value(".5").number, 0.5);
  EXPECT_EQ(parse_value("-.5").number, -0.5);
  EXPECT_EQ(parse_value(" \t\n8\r ").number, 8);
  EXPECT_EQ(parse_value("8").kind, Value::Kind::number);
  EXPECT_EQ(parse_value("8").name, "");
}

TEST(TextParse, Units) {
  for (const char* text : {"5ep", "5 ep", "5.0ep", "0.5e1ep"}) {
    EXPECT_TRUE(same(parse_value(text), number(5, "ep"))) << text;
  }
  EXPECT_TRUE(same(parse_value("20 ms"), number(20, "ms")));
  EXPECT_TRUE(same(parse_value("20ms"), number(20, "ms")));
  EXPECT_TRUE(same(parse_value("100 Mbit/s"), number(100, "Mbit/s")));
  EXPECT_TRUE(same(parse_value("5e"), number(5, "e")));
  EXPECT_EQ(parse_refusal("20  ms"), "'20  ms': column 5: expected the end, not 'm'");
  EXPECT_EQ(parse_refusal("5 a/"), "'5 a/': column 4: expected the end, not '/'");
  EXPECT_EQ(parse_refusal("5ep2"), "'5ep2': column 4: expected the end, not '2'");
}

TEST(TextParse, InfinityAndNanAreNames) {
  EXPECT_EQ(parse_value("inf").kind, Value::Kind::call);
  EXPECT_EQ(parse_value("nan").kind, Value::Kind::call);
  EXPECT_NE(parse_refusal("-inf"), "");
  EXPECT_NE(parse_refusal("+1"), "");
  EXPECT_NE(parse_refusal("- 1"), "");
  EXPECT_NE(parse_refusal("0x10"), "");
}

TEST(TextParse, NumbersThatNoDoubleHolds) {
  EXPECT_EQ(parse_refusal("1e999"),
            "'1e999': column 1: a number too large or too small for a double");
  EXPECT_NE(parse_refusal("f(1e-999)"), "");
}

TEST(TextParse, Calls) {
  EXPECT_TRUE(same(parse_value("f()"), parse_value("f")));
  EXPECT_TRUE(same(parse_value("true"), call("true")));
  EXPECT_TRUE(same(parse_value("slow_momentum ( 1 ,beta = 0.5 )"),
                   call("slow_momentum", {{"", number(1)}, {"beta", number(0.5)}})));
  EXPECT_TRUE(same(parse_value("until(5ep, every(8))"),
                   call("until", {{"", number(5, "ep")}, {"", call("every", {{"", number(8)}})}})));
  EXPECT_EQ(parse_value("_a1_").name, "_a1_");
}

TEST(TextParse, Lists) {
  EXPECT_TRUE(parse_value("[]").arguments.empty());
  const Value list = parse_value("[150ep, [1, a], f(x=2)]");
  EXPECT_EQ(list.kind, Value::Kind::list);
  EXPECT_EQ(list.arguments.size(), 3u);
  EXPECT_EQ(print(list), "[150ep, [1, a], f(x=2)]");
}

TEST(TextParse, QuotesTheTextAndTheColumn) {
  EXPECT_EQ(parse_refusal(""),
            "'': column 1: expected a name in small letters, a number or '[', not the end");
  EXPECT_EQ(parse_refusal("every(8"), "'every(8': column 8: expected ',' or ')', not the end");
  EXPECT_EQ(parse_refusal("every(8]"), "'every(8]': column 8: expected ',' or ')', not ']'");
  EXPECT_EQ(parse_refusal("[1 2]"), "'[1 2]': column 4: expected ',' or ']', not '2'");
  EXPECT_EQ(parse_refusal("every(8) x"), "'every(8) x': column 10: expected the end, not 'x'");
  EXPECT_EQ(parse_refusal("f(1,)"),
            "'f(1,)': column 5: expected a name in small letters, a number or '[', not ')'");
  EXPECT_EQ(parse_refusal("f(a=)"),
            "'f(a=)': column 5: expected a name in small letters, a number or '[', not ')'");
  EXPECT_EQ(parse_refusal("Every(8)"),
            "'Every(8)': column 1: expected a name in small letters, a number or '[', not 'E'");
  EXPECT_EQ(parse_refusal("a\xc3\xa9"), "'a\xc3\xa9': column 2: expected the end, not '\xc3\xa9'");
  EXPECT_EQ(parse_refusal("f(a=1, 2)"),
            "'f(a=1, 2)': column 8: an argument without a name stands behind one with a name");
  EXPECT_NE(parse_refusal("[a=1]"), "");
}

TEST(TextParse, HostileTexts) {
  const auto nested = [](int depth) {
    return std::string(depth, '[') + "1" + std::string(depth, ']');
  };
  EXPECT_EQ(parse_refusal(nested(32)), "");
  EXPECT_NE(parse_refusal(nested(33)).find("column 34: nested deeper than 32"), std::string::npos);
  EXPECT_NE(parse_refusal(std::string(60000, '(')), "");
  std::string deep;
  for (int i = 0; i < 20000; ++i) deep += "f(";
  EXPECT_NE(parse_refusal(deep), "");
  EXPECT_EQ(parse_refusal(std::string(65536, ' ').replace(0, 1, "8")), "");
  const std::string refused = parse_refusal(std::string(65537, 'a'));
  EXPECT_NE(refused.find("65537 bytes, where at most 65536 are read"), std::string::npos);
  EXPECT_LT(refused.size(), 250u);
  EXPECT_NE(parse_refusal(std::string_view("a\0b", 3)).find("column 2"), std::string::npos);
  EXPECT_EQ(parse_refusal("a\x1b[31m").find('\x1b'), std::string::npos);
}

TEST(TextParse, HostileBytesEndInAValueOrAMessage) {
  const std::string_view alphabet = "ab_9.-+e([])=, \n/*\x80\xc3\0";
  for (std::uint64_t trial = 0; trial < 20000; ++trial) {
    Stream draws(7, Purpose::partition, trial);
    std::string text;
    for (std::uint64_t n = draws.below(24); n > 0; --n) text += alphabet[draws.below(20)];
    refusal([&] {
      const Value value = parse_value(text);
      EXPECT_TRUE(same(parse_value(print(value)), value)) << text;
    });
  }
}

TEST(TextParse, ValuesJoinedBySeparators) {
  const auto product = parse_values("warmup(5ep, from=0.1) * cosine", '*');
  ASSERT_EQ(product.size(), 2u);
  EXPECT_EQ(print(product[0]), "warmup(5ep, from=0.1)");
  EXPECT_EQ(print(product[1]), "cosine");
  EXPECT_EQ(parse_values("a(1e+3)+b+ 1e+3", '+').size(), 3u);
  EXPECT_EQ(parse_values("a", '+').size(), 1u);
  EXPECT_EQ(refusal([] { parse_values("a b", '+'); }),
            "'a b': column 3: expected '+' or the end, not 'b'");
  EXPECT_NE(refusal([] { parse_values("a +", '+'); }), "");
  EXPECT_NE(refusal([] { parse_values("", '+'); }), "");
}

TEST(TextPrint, Values) {
  EXPECT_EQ(round_trip("overlap_local_sgd( h=2,alpha=.6 , beta=0.70)"),
            "overlap_local_sgd(h=2, alpha=0.6, beta=0.7)");
  EXPECT_EQ(round_trip("5 ep"), "5ep");
  EXPECT_EQ(round_trip("20ms"), "20 ms");
  EXPECT_EQ(round_trip("f()"), "f");
  EXPECT_EQ(round_trip("f([])"), "f([])");
  EXPECT_EQ(round_trip("f(momentum=0.9)"), "f(momentum=0.9)");
}

TEST(TextPrint, NumbersAreShortAndExact) {
  EXPECT_EQ(print_number(8), "8");
  EXPECT_EQ(print_number(-0.5), "-0.5");
  EXPECT_EQ(print_number(100000), "100000");
  EXPECT_EQ(print_number(9007199254740992), "9007199254740992");
  EXPECT_EQ(print_number(0.1), "0.1");
  EXPECT_EQ(print_number(0.0001), "0.0001");
  EXPECT_EQ(print_number(1e-5), "1e-5");
  EXPECT_EQ(print_number(1.5e-10), "1.5e-10");
  EXPECT_EQ(print_number(1e20), "1e20");
  EXPECT_EQ(print_number(1e100), "1e100");
  EXPECT_EQ(print_number(5e-324), "5e-324");
}

std::string random_name(Stream& draws) {
  static const std::string_view letters = "abcdefghijklmnopqrstuvwxyz_0123456789";
  std::string result(1, letters[draws.below(27)]);
  for (std::uint64_t n = draws.below(8); n > 0; --n) result += letters[draws.below(37)];
  return result;
}

Value random_number(Stream& draws) {
  static const std::vector<std::string> units{"", "", "ep", "ms", "Mbit/s", "e", "E"};
  const std::string& unit = units[draws.below(units.size())];
  if (draws.below(2)) return number(static_cast<double>(draws.below(1000)) - 500, unit);
  const double any = std::bit_cast<double>(std::uint64_t{draws.next()} << 32 | draws.next());
  return number(std::isfinite(any) ? any : 0.0, unit);
}

Value random_value(Stream& draws, int depth) {
  const std::uint64_t kind = draws.below(depth > 0 ? 3 : 1);
  if (kind == 0) return random_number(draws);
  Value result = call(random_name(draws));
  if (kind == 1) result = {Value::Kind::list, "", 0, {}};
  bool named = false;
  for (std::uint64_t n = draws.below(4); n > 0; --n) {
    named = kind == 2 && (named || draws.below(2));
    result.arguments.push_back({named ? random_name(draws) : "", random_value(draws, depth - 1)});
  }
  return result;
}

TEST(TextPrint, ParsingGivesBackWhatWasPrinted) {
  for (std::uint64_t trial = 0; trial < 1000; ++trial) {
    Stream draws(1, Purpose::partition, trial);
    const Value value = random_value(draws, 5);
    EXPECT_TRUE(same(parse_value(print(value)), value)) << print(value);
  }
}

TEST(TextArguments, ByPositionByNameAndByDefault) {
  const Arguments arguments = bound("overlap_local_sgd(2, beta=0.5)", overlap);
  EXPECT_EQ(arguments.integer("h"), 2);
  EXPECT_EQ(arguments.real("alpha"), 0.6);
  EXPECT_EQ(arguments.real("beta"), 0.5);
  EXPECT_EQ(print(arguments.value("beta")), "0.5");
  EXPECT_EQ(bound("exact", {}).facts().workers, 0);
}

TEST(TextArguments, RefusesWhatDoesNotFitTheParameters) {
  EXPECT_EQ(bind_refusal("every", one), "every: h is required, as in every(h=...)");
  EXPECT_EQ(bind_refusal("overlap(beta=1)", overlap),
            "overlap(beta=1): h is required, as in overlap(h=...)");
  EXPECT_EQ(bind_refusal("every(8, 9)", one), "every(8, 9): every takes 1 argument (h), not 2");
  EXPECT_EQ(bind_refusal("f(1, 2, 3, 4)", overlap),
            "f(1, 2, 3, 4): f takes at most 3 arguments (h, alpha, beta), not 4");
  EXPECT_EQ(bind_refusal("exact(8)", {}), "exact(8): exact takes no arguments");
  EXPECT_EQ(bind_refusal("exact(h=8)", {}), "exact(h=8): exact takes no arguments");
  EXPECT_EQ(bind_refusal("f(1, alhpa=2)", overlap),
            "f(1, alhpa=2): f has no argument 'alhpa'; did you mean 'alpha'?");
  EXPECT_EQ(bind_refusal("every(period=2)", one),
            "every(period=2): every has no argument 'period'; known: h");
  EXPECT_EQ(bind_refusal("f(1, h=2)", overlap), "f(1, h=2): h is given twice");
  EXPECT_EQ(bind_refusal("f(h=1, h=2, h=3, h=4)", overlap),
            "f(h=1, h=2, h=3, h=4): h is given twice");
  EXPECT_EQ(bind_refusal("8", one), "8: expected a name");
}

TEST(TextArguments, TypesAreChecked) {
  const auto integer = [](const char* text) {
    return refusal([&] { bound(text, one).integer("h"); });
  };
  EXPECT_EQ(integer("every(8)"), "");
  EXPECT_EQ(integer("every(x)"), "every(x): h must be an integer, not 'x'");
  EXPECT_EQ(integer("every(2.5)"), "every(2.5): h must be an integer, not '2.5'");
  EXPECT_EQ(integer("every(5ep)"), "every(5ep): h must be an integer, not '5ep'");
  EXPECT_EQ(integer("every(1e300)"), "every(1e300): h must be an integer, not '1e300'");
  EXPECT_EQ(integer("every([8])"), "every([8]): h must be an integer, not '[8]'");
  EXPECT_EQ(refusal([] { bound("f(inf)", one).real("h"); }),
            "f(inf): h must be a number, not 'inf'");
  EXPECT_EQ(refusal([] { bound("f(20 ms)", one).real("h"); }),
            "f(20 ms): h must be a number, not '20 ms'");
  EXPECT_TRUE(bound("f(true)", one).boolean("h"));
  EXPECT_FALSE(bound("f(false)", one).boolean("h"));
  EXPECT_EQ(refusal([] { bound("f(1)", one).boolean("h"); }),
            "f(1): h must be true or false, not '1'");
  EXPECT_EQ(refusal([] { bound("f(true(1))", one).boolean("h"); }),
            "f(true(1)): h must be true or false, not 'true(1)'");
  EXPECT_THROW(bound("f(1)", one).value("unheard_of"), std::logic_error);
}

TEST(TextArguments, StepsAndEpochs) {
  const RunFacts facts{.steps_per_epoch = 15};
  EXPECT_EQ(bound("every(8)", one).steps("h"), 8);
  EXPECT_EQ(bound("every(5ep)", one, facts).steps("h"), 75);
  EXPECT_EQ(bound("every(0.5ep)", one, facts).steps("h"), 8);
  EXPECT_EQ(bound("f([1, 2ep])", one, facts).steps_list("h"), (std::vector<std::int64_t>{1, 30}));
  const auto steps = [&](const char* text, const RunFacts& known) {
    return refusal([&] { bound(text, one, known).steps("h"); });
  };
  EXPECT_EQ(steps("every(5ep)", {}), "5ep: the length of an epoch is not known here");
  EXPECT_EQ(steps("every(2.5)", facts),
            "every(2.5): h must be a whole number of steps, or epochs as in 5ep, not '2.5'");
  EXPECT_NE(steps("every(20 ms)", facts), "");
  EXPECT_NE(steps("every(x)", facts), "");
  EXPECT_EQ(steps("every(1e300ep)", facts),
            "every(1e300ep): h must be at most 9007199254740992 steps, not '1e300ep'");
  EXPECT_EQ(refusal([&] { bound("f(8)", one, facts).steps_list("h"); }),
            "f(8): h must be a list of steps as in [100, 5ep], not '8'");
}

TEST(TextArguments, CanonicalNamesEveryArgumentWhereThereIsMoreThanOne) {
  EXPECT_EQ(print(bound("overlap(2)", overlap).canonical()), "overlap(h=2, alpha=0.6, beta=0.7)");
  EXPECT_EQ(print(bound("every(h=8)", one).canonical()), "every(8)");
  EXPECT_EQ(print(bound("every", {{"h", "8"}}).canonical()), "every(8)");
  EXPECT_EQ(print(bound("exact()", {}).canonical()), "exact");
}

TEST(TextSuggestions, Nearest) {
  const std::vector<std::string> known{"every", "growing", "until", "after", "lupa"};
  EXPECT_EQ(nearest("evry", known), "every");
  EXPECT_EQ(nearest("eveyr", known), "every");
  EXPECT_EQ(nearest("gorwnig", known), "growing");
  EXPECT_EQ(nearest("unitl", known), "until");
  EXPECT_EQ(nearest("luap", known), "lupa");
  EXPECT_EQ(nearest("oops", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest("g", std::vector<std::string>{"h"}), "");
  EXPECT_EQ(nearest(std::string(100000, 'a'), known), "");
  EXPECT_EQ(suggestion("evry", known), "; did you mean 'every'?");
  EXPECT_EQ(suggestion("oops", known), "; known: every, growing, until, after, lupa");
  EXPECT_EQ(suggestion("oops", {}), "");
}

TEST(TextSuggestions, ExcerptsAreShortAndPlain) {
  EXPECT_EQ(excerpt("every(8)"), "every(8)");
  EXPECT_EQ(excerpt("a\nb\x7f"), "a?b?");
  EXPECT_EQ(excerpt(std::string(121, 'a')), std::string(120, 'a') + "...");
  EXPECT_EQ(excerpt(std::string(119, 'a') + "\xc3\xa9"), std::string(119, 'a') + "...");
}

const std::vector<Choice<std::int64_t>> schedules{
    {"every", {{"h"}}, "every h steps", [](const Arguments& a) { return a.steps("h"); }},
    {"once", {}, "at the end", [](const Arguments& a) { return a.facts().steps; }}};

TEST(TextChoices, BuildsTheOneThatIsNamed) {
  const RunFacts facts{.steps = 100};
  EXPECT_EQ(build(schedules, parse_value("every(8)"), "schedule", facts), 8);
  EXPECT_EQ(build(schedules, parse_value("once"), "schedule", facts), 100);
}

TEST(TextChoices, RefusesOthers) {
  const auto refused = [](const char* text) {
    return refusal([&] { build(schedules, parse_value(text), "schedule", {}); });
  };
  EXPECT_EQ(refused("evry(8)"), "unknown schedule 'evry(8)'; did you mean 'every'?");
  EXPECT_EQ(refused("sometimes"), "unknown schedule 'sometimes'; known: every, once");
  EXPECT_EQ(refused("8"), "unknown schedule '8'; known: every, once");
}

TEST(Text, QuotedTexts) {
  EXPECT_EQ(print(parse_value("matrix(\"a b/C.txt\")")), "matrix(\"a b/C.txt\")");
  EXPECT_EQ(print(parse_value("\"\"")), "\"\"");
  EXPECT_EQ(parse_value("\"x(1)\"").kind, Value::Kind::text);
  EXPECT_THROW(parse_value("matrix(\"a"), UsageError);
  EXPECT_THROW(parse_value("\"a\nb\""), UsageError);
  EXPECT_THROW(parse_value("\"a\"b"), UsageError);
}

}  // namespace
}  // namespace entrain
