#include "entrain/core/text.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

constexpr std::size_t longest_text = 64 * 1024;  // of a text to parse, in bytes
constexpr int deepest_nesting = 32;              // of calls and lists in each other
constexpr std::size_t longest_excerpt = 120;     // of a text in a message, in bytes

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

}  // namespace entrain
