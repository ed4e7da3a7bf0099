#include "entrain/study/functions.h"

#include <fmt/format.h>

#include <algorithm>

namespace entrain {
namespace {

std::string signature_of(const Function& function) {
  std::string parameters;
  for (const FunctionParameter& parameter : function.parameters) {
    if (!parameters.empty()) parameters += ", ";
    parameters += parameter.optional ? fmt::format("[{}]", parameter.name) : parameter.name;
    if (parameter.takes == Takes::numbers) parameters += ", ...";
  }
  return fmt::format("{}({})", function.name, parameters);
}

}  // namespace

const std::vector<Function>& functions() {
  using enum Takes;
  static const std::vector<Function> all = {
      {"mean",
       {{"metric", metric},
        {"variant", variant},
        {"from", number, true},
        {"to", number, true},
        {"at", number, true}},
       "the last value of each run; with from and to the mean over the evaluations of those steps, "
       "with at the evaluation of that step"},
      {"highest",
       {{"metric", metric}, {"variant", variant}, {"from", number, true}, {"to", number, true}},
       "the highest value at an evaluation"},
      {"lowest",
       {{"metric", metric}, {"variant", variant}, {"from", number, true}, {"to", number, true}},
       "the lowest value at an evaluation"},
      {"variance",
       {{"metric", metric}, {"variant", variant}},
       "the variance over seeds of the last value"},
      {"time_to",
       {{"metric", metric}, {"level", number}, {"variant", variant}},
       "seconds (simulated ones where the run has them) to the first evaluation with metric <= "
       "level; cut off where there is none"},
      {"steps_to",
       {{"metric", metric}, {"level", number}, {"variant", variant}},
       "steps to the first evaluation with metric <= level; cut off where there is none"},
      {"transient",
       {{"metric", metric}, {"variant", variant}, {"reference", variant}, {"factor", number, true}},
       "the first step from which on metric <= factor (2) times the reference's of the same seed "
       "and step at every evaluation; cut off where there is none"},
      {"slope",
       {{"x", list}, {"y", list}},
       "the exponent p of y ~ x^p: least squares of log y on log x"},
      {"log", {{"x", number}}, "the natural logarithm"},
      {"exp", {{"x", number}}, "e^x"},
      {"sqrt", {{"x", number}}, "the square root"},
      {"min", {{"x", numbers}}, "the smallest"},
      {"max", {{"x", numbers}}, "the largest"},
  };
  return all;
}

std::string functions_help() {
  std::string text;
  for (const Function& function : functions()) {
    text += fmt::format("  {:<46} {}\n", signature_of(function), function.meaning);
  }
  return text;
}

const Function* find_function(std::string_view name) {
  const auto found = std::find_if(functions().begin(), functions().end(),
                                  [&](const Function& f) { return f.name == name; });
  return found == functions().end() ? nullptr : &*found;
}

}  // namespace entrain
