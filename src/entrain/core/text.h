#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace entrain {

struct Argument;

/// One value of the text grammar: `8`, `5ep`, `20 ms`, `name`, `name(args)`, `[a, b]` or `"a b.c"`.
///
/// Every choice of the library (a schedule, an optimizer, a strategy) prints itself as such a value
/// and is built from one, so that the text in a TOML file, on a plot and in a checkpoint is the
/// same.
struct Value {
  enum class Kind { number, call, list, text };
  Kind kind = Kind::call;
  std::string name;                 // call: its name; number: its unit ("ep", "ms", or empty); text
  double number = 0;                // number
  std::vector<Argument> arguments;  // call and list (of which the names are empty)
};

/// An argument of a call; `name` is empty where it was given by position.
struct Argument {
  std::string name;
  Value value;
};

/// Parses one value. Throws UsageError that quotes `text` and the column of the mistake.
Value parse_value(std::string_view text);

/// Parses values joined by `separator`, as in `warmup(5ep) * cosine` or `a(...) + b(...)`.
std::vector<Value> parse_values(std::string_view text, char separator);

/// Prints a value so that parse_value gives it back.
std::string print(const Value& value);

Value number(double number, std::string unit = "");
Value call(std::string name, std::vector<Argument> arguments = {});

/// The values of this run that some texts need: `5ep` needs the length of an epoch, `lupa` needs n,
/// T and B. Zero means unknown; a text that needs an unknown one is refused with a message that
/// says so.
struct RunFacts {
  int workers = 0;
  std::int64_t steps = 0;
  std::int64_t steps_per_epoch = 0;
  std::int64_t batch = 0;
  std::uint64_t seed = 1;
  std::int64_t first_decay = 0;  ///< The step after which the learning rate first falls.
};

/// A parameter of a call: its name and, if it may be left out, the text of its default.
struct Parameter {
  std::string name;
  std::optional<std::string> fallback = std::nullopt;
};

/// The arguments of a call, matched to its parameters by position or by name.
class Arguments {
 public:
  /// Throws UsageError for an unknown, repeated or missing argument; it quotes the call.
  Arguments(const Value& call, std::span<const Parameter> parameters, const RunFacts& facts);

  std::int64_t integer(std::string_view name) const;
  double real(std::string_view name) const;
  bool boolean(std::string_view name) const;
  /// The text in quotes, as in `"weights.txt"`.
  const std::string& text(std::string_view name) const;
  /// Whether the value is the word `word`, as in `none`.
  bool is(std::string_view name, std::string_view word) const;
  /// The number given, or what the run has where the value is the word `run`: the argument's name
  /// in the message is `name`, and `known` is 0 where the run does not know it.
  double of_run(std::string_view name, std::int64_t known) const;
  std::int64_t integer_of_run(std::string_view name, std::int64_t known) const;
  /// Steps, or epochs (`5ep`, `0.5ep`) turned into steps of this run, rounded to nearest, or
  /// `first_decay`, the step after which the learning rate first falls.
  std::int64_t steps(std::string_view name) const;
  std::vector<std::int64_t> steps_list(std::string_view name) const;
  const Value& value(std::string_view name) const;
  const RunFacts& facts() const { return facts_; }

  /// The call with every parameter, defaults included: named where there is more than one. A
  /// default that is a word, such as `run` or `none`, is left out.
  Value canonical() const;

 private:
  std::int64_t to_steps(std::string_view name, const Value& value) const;

  Value call_;
  std::vector<Argument> bound_;  // in the order of the parameters
  std::vector<bool> stated_;     // whether the canonical call has it
  RunFacts facts_;
};

/// The entry of `known` that is nearest to `word` if it is near enough to be meant, else empty.
std::string nearest(std::string_view word, std::span<const std::string> known);

/// "; did you mean 'x'?" or, if nothing is near, "; known: a, b, c".
std::string suggestion(std::string_view word, std::span<const std::string> known);

/// A user's text as a message quotes it: at most 120 bytes, control characters as '?'.
std::string excerpt(std::string_view text);

/// Prints a number with as few digits as give it back exactly.
std::string print_number(double number);

/// One named choice of an axis: how it is written, what it means, how it is built.
template <class T>
struct Choice {
  std::string name;
  std::vector<Parameter> parameters;
  std::string meaning;
  std::function<T(const Arguments&)> build;
};

/// `name(parameter, parameter=default)`.
template <class T>
std::string signature(const Choice<T>& choice);

/// Builds the choice that `value` names. `axis` ("schedule", "optimizer") is for the message.
template <class T>
T build(const std::vector<Choice<T>>& choices, const Value& value, std::string_view axis,
        const RunFacts& facts);

}  // namespace entrain

#include "entrain/core/text_build.h"
