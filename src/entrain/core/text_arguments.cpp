#include <algorithm>
#include <array>
#include <cmath>

#include "entrain/core/errors.h"
#include "entrain/core/text.h"

namespace entrain {
namespace {

constexpr double largest_whole = 0x1p53;  // up to here a double holds every integer

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

}  // namespace

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

}  // namespace entrain
