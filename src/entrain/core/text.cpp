#include "entrain/core/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

constexpr std::size_t longest_text = 64 * 1024;  // of a text to parse, in bytes
constexpr int deepest_nesting = 32;              // of calls and lists in each other
constexpr std::size_t longest_excerpt = 120;     // of a text in a message, in bytes
constexpr double largest_whole = 0x1p53;         // up to here a double holds every integer

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool starts_name(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// A recursive descent over one text.
class TextParser {
 public:
  explicit TextParser(std::string_view text) : text_(text) {
    if (text.size() <= longest_text) return;
    throw UsageError(fmt::format("'{}': {} bytes, where at most {} are read", excerpt(text),
                                 text.size(), longest_text));
  }

  Value whole() {
    Value result = value();
    expect_end("the end");
    return result;
  }

  std::vector<Value> joined_by(char separator) {
    std::vector<Value> result;
    do result.push_back(value());
    while (accept(separator));
    expect_end(fmt::format("'{}' or the end", separator));
    return result;
  }

 private:
  Value value() {
    skip_blanks();
    if (accept('[')) return {Value::Kind::list, "", 0, items(']')};
    if (accept('"')) return quoted();
    if (at_number()) return quantity();
    if (!starts_name(here())) refuse("a name in small letters, a number or '['");
    Value result = call(name());
    if (accept('(')) result.arguments = items(')');
    return result;
  }

  Value quoted() {
    const std::size_t start = at_;
    while (at_ < text_.size() && here() != '"' && static_cast<unsigned char>(here()) >= 0x20) ++at_;
    Value result{Value::Kind::text, std::string(text_.substr(start, at_ - start)), 0, {}};
    if (at_ == text_.size() || here() != '"') refuse("'\"' at the end of a text");
    ++at_;
    return result;
  }

  std::vector<Argument> items(char closing) {
    if (++depth_ > deepest_nesting) fail(fmt::format("nested deeper than {}", deepest_nesting));
    std::vector<Argument> result;
    if (!accept(closing)) {
      do result.push_back(item(closing, !result.empty() && !result.back().name.empty()));
      while (accept(','));
      if (!accept(closing)) refuse(fmt::format("',' or '{}'", closing));
    }
    --depth_;
    return result;
  }

  Argument item(char closing, bool after_named) {
    skip_blanks();
    const std::size_t start = at_;
    if (closing == ')' && starts_name(here())) {
      std::string given = name();
      if (accept('=')) return {std::move(given), value()};
    }
    at_ = start;
    if (after_named) fail("an argument without a name stands behind one with a name");
    return {"", value()};
  }

  std::string name() {
    const std::size_t start = at_;
    while (starts_name(here()) || is_digit(here())) ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  Value quantity() {
    double parsed = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(),
                                              parsed, std::chars_format::general);
    if (error != std::errc()) fail("a number too large or too small for a double");
    at_ = static_cast<std::size_t>(end - text_.data());
    return number(parsed, unit());
  }

  std::string unit() {
    const std::size_t start = at_ + (here() == ' ' ? 1 : 0);
    std::size_t end = start;
    while (is_letter(here(end)) || (end > start && here(end) == '/' && is_letter(here(end + 1)))) {
      ++end;
    }
    if (end > start) at_ = end;
    return std::string(text_.substr(start, end - start));
  }

  bool at_number() const {
    std::size_t first = at_;
    if (here(first) == '-') ++first;
    if (here(first) == '.') ++first;
    return is_digit(here(first));
  }

  char here() const { return here(at_); }
  char here(std::size_t index) const { return index < text_.size() ? text_[index] : '\0'; }

  void skip_blanks() {
    while (is_blank(here())) ++at_;
  }

  bool accept(char wanted) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void expect_end(std::string_view wanted) {
    skip_blanks();
    if (at_ < text_.size()) refuse(wanted);
  }

  [[noreturn]] void refuse(std::string_view wanted) const {
    std::size_t end = std::min(at_ + 1, text_.size());
    while (continues_character(here(end))) ++end;
    const std::string found = at_ == text_.size()
                                  ? "the end"
                                  : fmt::format("'{}'", excerpt(text_.substr(at_, end - at_)));
    fail(fmt::format("expected {}, not {}", wanted, found));
  }

  [[noreturn]] void fail(std::string_view why) const {
    throw UsageError(fmt::format("'{}': column {}: {}", excerpt(text_), at_ + 1, why));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

std::string print_items(const std::vector<Argument>& items) {
  std::string result;
  for (const Argument& item : items) {
    if (!result.empty()) result += ", ";
    if (!item.name.empty()) result += item.name + "=";
    result += print(item.value);
  }
  return result;
}

bool is_whole(const Value& value) {
  return value.kind == Value::Kind::number && value.name.empty() &&
         std::abs(value.number) <= largest_whole && std::trunc(value.number) == value.number;
}

/// A default that says only that nothing was given.
bool is_placeholder(const Value& value) {
  static const std::array<std::string_view, 5> words = {"run", "none", "auto", "h", "nothing"};
  return value.kind == Value::Kind::call && value.arguments.empty() &&
         std::find(words.begin(), words.end(), value.name) != words.end();
}

[[noreturn]] void refuse_call(const Value& call, std::string_view why) {
  throw UsageError(fmt::format("{}: {}", excerpt(print(call)), why));
}

[[noreturn]] void refuse_value(const Value& call, std::string_view name, std::string_view wanted,
                               const Value& given) {
  refuse_call(call, fmt::format("{} must be {}, not '{}'", name, wanted, excerpt(print(given))));
}

std::vector<std::string> names_of(std::span<const Parameter> parameters) {
  std::vector<std::string> result;
  for (const Parameter& parameter : parameters) result.push_back(parameter.name);
  return result;
}

[[noreturn]] void refuse_count(const Value& call, std::span<const Parameter> parameters) {
  if (parameters.empty()) refuse_call(call, fmt::format("{} takes no arguments", call.name));
  refuse_call(call, fmt::format("{} takes {} ({}), not {}", call.name,
                                parameters.size() == 1
                                    ? "1 argument"
                                    : fmt::format("at most {} arguments", parameters.size()),
                                fmt::join(names_of(parameters), ", "), call.arguments.size()));
}

/// The index of the parameter that a named argument means.
std::size_t named_slot(const Value& call, std::string_view name,
                       std::span<const Parameter> parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i].name == name) return i;
  }
  if (parameters.empty()) refuse_count(call, parameters);
  refuse_call(call, fmt::format("{} has no argument '{}'{}", call.name, excerpt(name),
                                suggestion(name, names_of(parameters))));
}

/// The value given for each parameter, null where none is.
std::vector<const Value*> match(const Value& call, std::span<const Parameter> parameters) {
  if (call.arguments.size() > parameters.size() && call.arguments.back().name.empty()) {
    refuse_count(call, parameters);
  }
  std::vector<const Value*> given(parameters.size(), nullptr);
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const auto& [name, value] = call.arguments[i];
    const std::size_t slot = name.empty() ? i : named_slot(call, name, parameters);
    if (slot >= parameters.size()) refuse_count(call, parameters);
    if (given[slot]) {
      refuse_call(call, fmt::format("{} is given twice", parameters[slot].name));
    }
    given[slot] = &value;
  }
  return given;
}

/// Edits between two words: insertions, deletions, substitutions and swaps of neighbours
/// (Damerau-Levenshtein in its "optimal string alignment" form).
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, substituted});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

Value parse_value(std::string_view text) { return TextParser(text).whole(); }

std::vector<Value> parse_values(std::string_view text, char separator) {
  return TextParser(text).joined_by(separator);
}

std::string print(const Value& value) {
  switch (value.kind) {
    case Value::Kind::number: {
      const bool apart = !value.name.empty() && value.name != "ep";
      return print_number(value.number) + (apart ? " " : "") + value.name;
    }
    case Value::Kind::text:
      return "\"" + value.name + "\"";
    case Value::Kind::list:
      return "[" + print_items(value.arguments) + "]";
    case Value::Kind::call:
      break;
  }
  if (value.arguments.empty()) return value.name;
  return value.name + "(" + print_items(value.arguments) + ")";
}

Value number(double number, std::string unit) {
  return {Value::Kind::number, std::move(unit), number, {}};
}

Value call(std::string name, std::vector<Argument> arguments) {
  return {Value::Kind::call, std::move(name), 0, std::move(arguments)};
}

Arguments::Arguments(const Value& call, std::span<const Parameter> parameters,
                     const RunFacts& facts)
    : call_(call), facts_(facts) {
  if (call.kind != Value::Kind::call) refuse_call(call, "expected a name");
  const std::vector<const Value*> given = match(call, parameters);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& [name, fallback] = parameters[i];
    if (!given[i] && !fallback) {
      refuse_call(call, fmt::format("{} is required, as in {}({}=...)", name, call.name, name));
    }
    bound_.push_back({name, given[i] ? *given[i] : parse_value(*fallback)});
    stated_.push_back(given[i] || !is_placeholder(bound_.back().value));
  }
}

const Value& Arguments::value(std::string_view name) const {
  const auto found = std::find_if(bound_.begin(), bound_.end(),
                                  [&](const Argument& bound) { return bound.name == name; });
  ENTRAIN_CHECK(found != bound_.end());
  return found->value;
}

std::int64_t Arguments::integer(std::string_view name) const {
  const Value& given = value(name);
  if (!is_whole(given)) refuse_value(call_, name, "an integer", given);
  return static_cast<std::int64_t>(given.number);
}

double Arguments::real(std::string_view name) const {
  const Value& given = value(name);
  if (given.kind != Value::Kind::number || !given.name.empty()) {
    refuse_value(call_, name, "a number", given);
  }
  return given.number;
}

bool Arguments::boolean(std::string_view name) const {
  const Value& given = value(name);
  const bool word = given.kind == Value::Kind::call && given.arguments.empty();
  if (word && given.name == "true") return true;
  if (word && given.name == "false") return false;
  refuse_value(call_, name, "true or false", given);
}

const std::string& Arguments::text(std::string_view name) const {
  const Value& given = value(name);
  if (given.kind != Value::Kind::text) {
    refuse_value(call_, name, "a text in double quotes", given);
  }
  return given.name;
}

bool Arguments::is(std::string_view name, std::string_view word) const {
  const Value& given = value(name);
  return given.kind == Value::Kind::call && given.arguments.empty() && given.name == word;
}

double Arguments::of_run(std::string_view name, std::int64_t known) const {
  if (!is(name, "run")) return real(name);
  if (known > 0) return static_cast<double>(known);
  refuse_call(call_, fmt::format("{} of the run is not known here; give it, as in {}({}=...)", name,
                                 call_.name, name));
}

std::int64_t Arguments::integer_of_run(std::string_view name, std::int64_t known) const {
  return is(name, "run") ? static_cast<std::int64_t>(of_run(name, known)) : integer(name);
}

std::int64_t Arguments::steps(std::string_view name) const { return to_steps(name, value(name)); }

std::vector<std::int64_t> Arguments::steps_list(std::string_view name) const {
  const Value& given = value(name);
  if (given.kind != Value::Kind::list) {
    refuse_value(call_, name, "a list of steps as in [100, 5ep]", given);
  }
  std::vector<std::int64_t> result;
  for (const Argument& item : given.arguments) result.push_back(to_steps(name, item.value));
  return result;
}

std::int64_t Arguments::to_steps(std::string_view name, const Value& value) const {
  if (is_whole(value)) return static_cast<std::int64_t>(value.number);
  if (value.kind == Value::Kind::call && print(value) == "first_decay") {
    if (facts_.first_decay > 0) return facts_.first_decay;
    refuse_call(call_,
                "first_decay: the step at which train.lr_schedule first falls within the run "
                "is not known here; give a step, or a schedule that falls");
  }
  if (value.kind != Value::Kind::number || value.name != "ep") {
    refuse_value(call_, name, "a whole number of steps, or epochs as in 5ep", value);
  }
  if (facts_.steps_per_epoch == 0) {
    throw UsageError(fmt::format("{}: the length of an epoch is not known here", print(value)));
  }
  const double rounded = std::round(value.number * static_cast<double>(facts_.steps_per_epoch));
  if (!(std::abs(rounded) <= largest_whole)) {
    refuse_value(call_, name, fmt::format("at most {} steps", print_number(largest_whole)), value);
  }
  return static_cast<std::int64_t>(rounded);
}

Value Arguments::canonical() const {
  Value result = call(call_.name);
  for (std::size_t i = 0; i < bound_.size(); ++i) {
    if (stated_[i]) result.arguments.push_back(bound_[i]);
  }
  const bool first_alone = result.arguments.size() == 1 && stated_[0];
  if (first_alone) result.arguments.front().name.clear();
  return result;
}

std::string nearest(std::string_view word, std::span<const std::string> known) {
  constexpr std::size_t longest_word = 64;
  if (word.size() > longest_word) return "";
  std::string best;
  std::size_t fewest = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    if (candidate.size() > longest_word) continue;
    const std::size_t distance = edits(word, candidate);
    const bool alike = distance < std::max(word.size(), candidate.size());
    if (alike && distance < fewest) {
      fewest = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, std::span<const std::string> known) {
  const std::string near = nearest(word, known);
  if (!near.empty()) return fmt::format("; did you mean '{}'?", near);
  if (known.empty()) return "";
  return fmt::format("; known: {}", fmt::join(known, ", "));
}

std::string excerpt(std::string_view text) {
  std::size_t end = std::min(text.size(), longest_excerpt);
  while (end < text.size() && end > 0 && continues_character(text[end])) --end;
  std::string result(text.substr(0, end));
  for (char& c : result) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return end < text.size() ? result + "..." : result;
}

std::string print_number(double number) {
  std::string text = fmt::format("{}", number);
  const std::size_t exponent = text.find('e');
  if (exponent == std::string::npos) return text;
  std::size_t digits = exponent + 1;  // fmt writes 1e-05 and 1e+20; we write 1e-5 and 1e20
  if (text[digits] == '+') text.erase(digits, 1);
  if (text[digits] == '-') ++digits;
  while (text[digits] == '0' && digits + 1 < text.size()) text.erase(digits, 1);
  return text;
}

void refuse_choice(const Value& value, std::string_view axis, std::span<const std::string> known) {
  const std::string word = value.kind == Value::Kind::call ? value.name : "";
  throw UsageError(
      fmt::format("unknown {} '{}'{}", axis, excerpt(print(value)), suggestion(word, known)));
}

}  // namespace entrain
