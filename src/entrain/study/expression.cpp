#include "entrain/study/expression.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "entrain/core/errors.h"
#include "entrain/core/text.h"
#include "entrain/study/functions.h"

namespace entrain {
namespace {

constexpr std::size_t longest_text = 4000;
constexpr int deepest_nesting = 100;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct NamedArgument {
  std::string name;  // empty: by position
  Expression value;
};

/// Recursive descent over one relation.
class RelationParser {
 public:
  explicit RelationParser(std::string_view text) : text_(text) {
    if (text.size() > longest_text) refuse(fmt::format("over {} characters", longest_text));
  }

  Relation relation() {
    Relation result;
    result.left = operand(sum());
    result.kind = relation_kind();
    if (result.kind == Relation::Kind::within) {
      expect('[');
      result.low = constant();
      expect(',');
      result.high = constant();
      expect(']');
      if (!(result.low <= result.high)) refuse("the range of 'in' is [low, high]");
    } else {
      result.right = operand(sum());
    }
    if (next() != '\0') refuse("nothing may follow here");
    return result;
  }

 private:
  using Kind = Expression::Kind;

  [[noreturn]] void refuse(std::string_view why) const {
    throw UsageError(fmt::format("'{}', column {}: {}", excerpt(text_), at_ + 1, why));
  }

  char next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) {
      ++at_;
    }
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool accept(std::string_view token) {
    next();
    if (!text_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }

  void expect(char token) {
    if (!accept(std::string_view(&token, 1))) refuse(fmt::format("'{}' is missing", token));
  }

  Relation::Kind relation_kind() {
    using enum Relation::Kind;
    for (const auto kind : {less_or_equal, greater_or_equal, less, greater, within}) {
      if (accept(symbol(kind))) return kind;
    }
    refuse("a claim is a comparison: A < B, A <= B, A > B, A >= B or A in [low, high]");
  }

  double constant() {
    const bool negative = accept("-");
    next();
    const std::optional<double> number = read_number();
    if (!number) refuse("a number is missing");
    return negative ? -*number : *number;
  }

  Expression operation(char symbol, Expression left, Expression right) const {
    Expression result{.kind = Kind::call, .name = std::string(1, symbol)};
    result.parts.push_back(operand(std::move(left)));
    result.parts.push_back(operand(std::move(right)));
    return result;
  }

  Expression operand(Expression value) const {
    if (is_number(value)) return value;
    if (value.kind == Kind::list) refuse("a list is for slope([x, ...], [y, ...])");
    refuse(fmt::format("'{}' alone is no number; as in mean(test_loss, 'variant')", value.name));
  }

  Expression sum() {
    const Depth depth(*this);
    return from_the_left("+-", &RelationParser::product);
  }

  Expression product() { return from_the_left("*/", &RelationParser::signed_power); }

  // a - b + c is (a - b) + c.
  Expression from_the_left(std::string_view symbols, Expression (RelationParser::*part)()) {
    Expression result = (this->*part)();
    while (symbols.find(next()) != std::string_view::npos) {
      const char symbol = text_[at_++];
      result = operation(symbol, std::move(result), (this->*part)());
    }
    return result;
  }

  // -a^b is -(a^b), and a^b^c is a^(b^c).
  Expression signed_power() {
    const Depth depth(*this);
    if (accept("-")) return operation('-', Expression{}, signed_power());
    Expression base = atom();
    return accept("^") ? operation('^', std::move(base), signed_power()) : base;
  }

  Expression atom() {
    const char c = next();
    if (c == '(') {
      expect('(');
      Expression inner = sum();
      expect(')');
      return inner;
    }
    if (c == '[') return list();
    if (c == '\'' || c == '"') return quoted(c);
    if (is_letter(c)) return named();
    const std::optional<double> number = read_number();
    if (!number) refuse("a number, a function or '(' is missing");
    return {.number = *number};
  }

  std::optional<double> read_number() {
    double number = 0;
    const char* begin = text_.data() + at_;
    const char* end = text_.data() + text_.size();
    if (begin == end || !(is_digit(*begin) || *begin == '.')) return std::nullopt;
    const auto [stopped, error] = std::from_chars(begin, end, number);
    if (error != std::errc()) refuse("this is no number, or too large a one");
    at_ += static_cast<std::size_t>(stopped - begin);
    return number;
  }

  Expression list() {
    Expression result{.kind = Kind::list};
    expect('[');
    do {
      result.parts.push_back(operand(sum()));
    } while (accept(","));
    expect(']');
    return result;
  }

  Expression quoted(char quote) {
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) refuse("this quote is not closed");
    Expression word{.kind = Kind::word, .name = std::string(text_.substr(at_ + 1, end - at_ - 1))};
    if (word.name.empty()) refuse("a name is missing between the quotes");
    at_ = end + 1;
    return word;
  }

  std::string_view identifier() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Expression named() {
    const std::size_t begin = at_;
    const std::string name(identifier());
    if (next() != '(') return {.kind = Kind::word, .name = name};
    const Function* function = find_function(name);
    if (!function) {
      at_ = begin;
      refuse(fmt::format("unknown function '{}'{}", name, suggestion(name, names(functions()))));
    }
    return bound(*function, arguments());
  }

  std::vector<NamedArgument> arguments() {
    std::vector<NamedArgument> result;
    expect('(');
    if (accept(")")) return result;
    do {
      std::string name = argument_name();
      result.push_back({std::move(name), sum()});
    } while (accept(","));
    expect(')');
    return result;
  }

  std::string argument_name() {
    const std::size_t begin = at_;
    if (is_letter(next())) {
      std::string name(identifier());
      if (next() == '=') {
        expect('=');
        return name;
      }
    }
    at_ = begin;
    return "";
  }

  template <class Named>
  static std::vector<std::string> names(const std::vector<Named>& all) {
    std::vector<std::string> result;
    for (const Named& one : all) result.push_back(one.name);
    return result;
  }

  // One part for each parameter, in their order.
  Expression bound(const Function& function, std::vector<NamedArgument> arguments) const {
    if (function.parameters.front().takes == Takes::numbers) {
      return bound_numbers(function, std::move(arguments));
    }
    Expression call{.kind = Kind::call, .name = function.name};
    call.parts.resize(function.parameters.size(), Expression{.kind = Kind::word});
    std::size_t position = 0;
    for (NamedArgument& argument : arguments) {
      const std::size_t i = index_of(function, argument.name, position);
      const FunctionParameter& parameter = function.parameters[i];
      if (!call.parts[i].left_out()) {
        refuse(fmt::format("{}: {} is given twice", function.name, parameter.name));
      }
      check_kind(function, parameter, argument.value);
      call.parts[i] = std::move(argument.value);
      position = i + 1;
    }
    check_complete(function, call);
    return call;
  }

  Expression bound_numbers(const Function& function, std::vector<NamedArgument> arguments) const {
    Expression call{.kind = Kind::call, .name = function.name};
    for (NamedArgument& argument : arguments) {
      if (!argument.name.empty()) refuse(fmt::format("{}: no names here", function.name));
      check_kind(function, function.parameters.front(), argument.value);
      call.parts.push_back(std::move(argument.value));
    }
    if (call.parts.empty()) refuse(fmt::format("{}: an argument is missing", function.name));
    return call;
  }

  void check_complete(const Function& function, const Expression& call) const {
    for (std::size_t i = 0; i < call.parts.size(); ++i) {
      if (function.parameters[i].optional || !call.parts[i].left_out()) continue;
      refuse(fmt::format("{}: {} is missing", function.name, function.parameters[i].name));
    }
    const bool lists = function.parameters.front().takes == Takes::list;
    if (lists && (call.parts[0].parts.size() != call.parts[1].parts.size() ||
                  call.parts[0].parts.size() < 2)) {
      refuse(fmt::format("{}: two lists of equal length, at least 2", function.name));
    }
  }

  std::size_t index_of(const Function& function, const std::string& name,
                       std::size_t position) const {
    const std::vector<std::string> known = names(function.parameters);
    if (name.empty()) {
      if (position >= known.size()) refuse(fmt::format("{}: too many arguments", function.name));
      return position;
    }
    const auto found = std::find(known.begin(), known.end(), name);
    if (found == known.end()) {
      refuse(
          fmt::format("{}: unknown argument '{}'{}", function.name, name, suggestion(name, known)));
    }
    return static_cast<std::size_t>(found - known.begin());
  }

  void check_kind(const Function& function, const FunctionParameter& parameter,
                  const Expression& value) const {
    const bool word = parameter.takes == Takes::metric || parameter.takes == Takes::variant;
    const bool list = parameter.takes == Takes::list;
    if (word ? value.kind == Kind::word : list ? value.kind == Kind::list : is_number(value))
      return;
    const char* wanted = parameter.takes == Takes::metric    ? "a metric, as in test_loss"
                         : parameter.takes == Takes::variant ? "a variant in quotes"
                         : list                              ? "a list, as in [1, 2]"
                                                             : "a number";
    refuse(fmt::format("{}: {} is {}", function.name, parameter.name, wanted));
  }

  static bool is_number(const Expression& value) {
    return value.kind == Kind::number || value.kind == Kind::call;
  }

  // Counts itself; texts of thousands of brackets are an attack on the stack.
  struct Depth {
    explicit Depth(RelationParser& parser) : parser(parser) {
      if (++parser.depth_ > deepest_nesting) parser.refuse("nested too deeply");
    }
    ~Depth() { --parser.depth_; }
    RelationParser& parser;
  };

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Relation parse_relation(std::string_view text) { return RelationParser(text).relation(); }

std::string_view symbol(Relation::Kind kind) {
  switch (kind) {
    case Relation::Kind::less:
      return "<";
    case Relation::Kind::less_or_equal:
      return "<=";
    case Relation::Kind::greater:
      return ">";
    case Relation::Kind::greater_or_equal:
      return ">=";
    case Relation::Kind::within:
      return "in";
  }
  return "";
}

}  // namespace entrain
