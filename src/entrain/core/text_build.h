#pragma once

// The bodies of build() and signature() in text.h.

#include "entrain/core/errors.h"

namespace entrain {

[[noreturn]] void refuse_choice(const Value& value, std::string_view axis,
                                std::span<const std::string> known);

template <class T>
std::string signature(const Choice<T>& choice) {
  std::string parameters;
  for (const Parameter& parameter : choice.parameters) {
    parameters += (parameters.empty() ? "" : ", ") + parameter.name;
    if (parameter.fallback) parameters += "=" + *parameter.fallback;
  }
  return parameters.empty() ? choice.name : choice.name + "(" + parameters + ")";
}

template <class T>
T build(const std::vector<Choice<T>>& choices, const Value& value, std::string_view axis,
        const RunFacts& facts) {
  std::vector<std::string> known;
  for (const Choice<T>& choice : choices) {
    if (value.kind == Value::Kind::call && value.name == choice.name) {
      return choice.build(Arguments(value, choice.parameters, facts));
    }
    known.push_back(choice.name);
  }
  refuse_choice(value, axis, known);
}

}  // namespace entrain
