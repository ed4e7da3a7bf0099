// What a user can get wrong about a strategy in a TOML file.

#include <gtest/gtest.h>

#include "entrain/config/resolve.h"
#include "entrain/config/toml.h"
#include "entrain/core/test_folder.h"
#include "entrain/strategy/random_strategy.h"

namespace entrain {
namespace {

std::string without_controls(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

/// Whether the message has `length` bytes of the text in a row, or all of a shorter text.
/// What the message lists as known does not count.
bool quotes_part(const std::string& message, const std::string& text, std::size_t length) {
  const std::string said = message.substr(0, message.find("; known: "));
  const std::string wanted = without_controls(text);
  if (const std::size_t name = text.find('('); name != text.npos && name > 0) {
    length = std::min(length, name);
  }
  const bool escaped = wanted.find('?') != std::string::npos && text.find('?') == std::string::npos;
  if (escaped && said.find("\\u00") != std::string::npos)
    return true;  // a control as TOML writes it
  for (std::size_t at = 0; at + std::min(length, wanted.size()) <= wanted.size(); ++at) {
    if (said.find(wanted.substr(at, length)) != std::string::npos) return true;
  }
  return false;
}

/// A file with a strategy that has at most one mistake.
struct StrategyFile {
  std::string toml;
  bool legal = false;               // there is no mistake
  std::string offending = {};       // a refusal quotes a part of it; empty: nothing is known of it
  std::size_t quoted_at_least = 4;  // bytes of it in a row
};

/// A pure function of the seed, as RandomStrategy.
class RandomStrategyFile {
  using Round = RandomStrategy::Round;

 public:
  RandomStrategyFile(std::uint64_t seed, const std::filesystem::path& folder)
      : random_(seed, folder) {}

  StrategyFile next() {
    rounds_ = random_.chance(3) ? std::vector<Round>{} : random_.rounds();
    preset_ = random_.preset();
    switch (random_.below(10)) {
      case 0:
        return {written(), true};
      case 1:
        return unknown_name();
      case 2:
        return wrong_type();
      case 3:
        return wild_number();
      case 4:
        return deep_nesting();
      case 5:
        return long_text();
      case 6:
        return random_bytes_in_a_value();
      case 7:
        return wrong_key();
      case 8:
        return mistyped();
      default:
        return random_bytes_in_the_file();
    }
  }

 private:
  /// The value that a mistake is made in: the preset, or a field of a round, which may be a new
  /// one.
  std::string& any_value() {
    if (rounds_.empty()) return preset_;
    Round& round = rounds_[random_.below(rounds_.size())];
    static const std::vector<std::string> keys = {"when", "whom", "codec", "of"};
    std::string& value = round[random_.one_of(keys)];
    if (value.empty()) value = "every(2)";
    return value;
  }

  /// The file; the value at `raw`, if any, without quotes.
  std::string written(const std::string* raw = nullptr) const {
    const auto value = [&](const std::string& text) {
      return &text == raw ? text : toml_quote(text);
    };
    if (rounds_.empty()) return fmt::format("[strategy]\npreset = {}\n", value(preset_));
    std::string toml = "workers = 4\n";
    for (const Round& round : rounds_) {
      toml += "[[strategy.round]]\n";
      for (const auto& [key, text] : round) toml += fmt::format("{} = {}\n", key, value(text));
    }
    return toml;
  }

  std::string letters(std::uint64_t count) {
    std::string text;
    for (; count > 0; --count) text += static_cast<char>('a' + random_.below(26));
    return text;
  }

  std::string bytes(std::uint64_t count) {
    std::string text;
    for (; count > 0; --count) text += static_cast<char>(random_.below(256));
    return text;
  }

  StrategyFile unknown_name() {
    std::string& value = any_value();
    const std::string name = "z" + letters(1 + random_.below(12));
    value = random_.chance(2) ? name : name + value.substr(std::min(value.find('('), value.size()));
    return {written(), false, name, name.size()};
  }

  StrategyFile wrong_type() {
    static const std::vector<std::string> others = {
        "5",         "-1.5", "true", "1979-05-27", "[ 1, 2 ]", "[ 'every(2)' ]",
        "{ a = 1 }", "inf",  "nan",  "0x1F",       "07:32:00"};
    std::string& value = any_value();
    value = random_.one_of(others);
    const std::string offending = value == "{ a = 1 }" ? "a table" : value == "0x1F" ? "31" : value;
    return {written(&value), false, offending};
  }

  /// One number in place of another, which may be as legal.
  StrategyFile wild_number() {
    static const std::vector<std::string> numbers = {"-5",
                                                     "0",
                                                     "-0.0",
                                                     "2.5",
                                                     "1e300",
                                                     "1e-300",
                                                     "1e999",
                                                     "99999999999999999999",
                                                     "-1ep",
                                                     "1e15ep",
                                                     "9007199254740993",
                                                     "1e308",
                                                     "4 ms",
                                                     "[1]",
                                                     "every(1)",
                                                     "inf",
                                                     "\"8\""};
    std::string& value = any_value();
    const std::size_t first = value.find_first_of("0123456789");
    if (first == std::string::npos) return wrong_type();
    const std::size_t end = value.find_first_not_of("0123456789.ep-", first);
    value.replace(first, std::min(end, value.size()) - first, random_.one_of(numbers));
    return {written(), false, value};
  }

  StrategyFile deep_nesting() {
    static const std::vector<std::string> openings = {"until(5, ", "after(schedule=", "[",
                                                      "every("};
    static const std::vector<std::uint64_t> depths = {20, 33, 500, 20000};
    const std::string opening = random_.one_of(openings);
    std::string& value = any_value();
    std::string nested;
    for (auto left = random_.one_of(depths); left > 0; --left) nested += opening;
    value = nested + value;
    if (random_.chance(2)) value += std::string(40, ')');
    return {written(), false, value, 8};
  }

  StrategyFile long_text() {
    static const std::vector<std::uint64_t> lengths = {121, 5000, 65000, 70000};
    const std::uint64_t length = random_.one_of(lengths);
    std::string& value = any_value();
    switch (random_.below(3)) {
      case 0:
        value = letters(length);
        break;
      case 1:
        value = fmt::format("every({})", letters(length));
        break;
      default:
        value = "at([1";
        for (std::uint64_t i = 0; i < length / 3; ++i) value += ", 1";
        value += "])";
    }
    return {written(), false, value, 6};
  }

  StrategyFile random_bytes_in_a_value() {
    std::string& value = any_value();
    std::string text = bytes(1 + random_.below(40));
    if (random_.chance(2)) text += value;
    value = text;
    if (!is_utf8(value)) return {written()};  // no TOML
    return {written(), false, value, 1};
  }

  /// A key that is not one, is missing, or is of another place.
  StrategyFile wrong_key() {
    const std::string key = "z" + letters(1 + random_.below(20));
    switch (random_.below(4)) {
      case 0:
        return {written() + fmt::format("{} = 'every(2)'\n", key), false, key, key.size()};
      case 1:
        return {written() + fmt::format("[[strategy.{}]]\n", key), false, key, key.size()};
      case 2:
        return {"strategy.preset = 'synchronous'\n[[strategy.round]]\nof = 'gradients'\n", false,
                "[[strategy.round]]", 18};
      default:
        return {"[[strategy.round]]\nwhen = 'every(2)'\n", false, "of is required", 14};
    }
  }

  /// One letter of a value lost, doubled or changed.
  StrategyFile mistyped() {
    std::string& value = any_value();
    const std::size_t at = random_.below(value.size());
    static const std::string marks = "()[]=,.+\"\\ 09azAZ_-";
    switch (random_.below(3)) {
      case 0:
        value.erase(at, 1);
        break;
      case 1:
        value.insert(at, 1, value[at]);
        break;
      default:
        value[at] = marks[random_.below(marks.size())];
    }
    return {written(), false, value, 3};
  }

  StrategyFile random_bytes_in_the_file() {
    std::string toml = written();
    for (auto left = 1 + random_.below(4); left > 0; --left) {
      const std::size_t at = random_.below(toml.size());
      if (random_.chance(2)) {
        toml.insert(at, bytes(1 + random_.below(4)));
      } else {
        toml.erase(at, 1 + random_.below(8));
      }
    }
    return {toml};
  }

  RandomStrategy random_;
  std::vector<Round> rounds_;
  std::string preset_;  // where there are no rounds
};

TEST(StrategyInput, IsBuiltOrRefusedWithTheValue) {
  const TestFolder folder;
  RandomStrategyFile random(11, folder.path());
  const std::string path = (folder / "x.toml").string();
  int built = 0, refused = 0;
  for (int i = 0; i < 3000; ++i) {
    const StrategyFile file = random.next();
    std::ofstream(path, std::ios::binary) << file.toml;
    SCOPED_TRACE(
        fmt::format("case {}: {}", i, excerpt(file.offending) + "\n" + file.toml.substr(0, 2000)));
    try {
      const Resolved resolved = resolve(path, {}, {});
      const Settings::Strategy& spec = resolved.values.strategy;
      located(resolved, spec.rounds.empty() ? "strategy.preset" : "strategy.round[0]", [&] {
        return spec.rounds.empty() ? parse_strategy(spec.preset, kRandomRun)
                                   : strategy_from_rounds(spec.rounds, kRandomRun);
      });
      ++built;
    } catch (const UsageError& error) {
      const std::string message = error.what();
      ++refused;
      EXPECT_FALSE(file.legal) << message;
      EXPECT_TRUE(message.starts_with(path)) << message;
      EXPECT_TRUE(quotes_part(message.substr(path.size()), file.offending, file.quoted_at_least))
          << message;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  EXPECT_GT(built, 300);
  EXPECT_GT(refused, 1500);
}

}  // namespace
}  // namespace entrain
