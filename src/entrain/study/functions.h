#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace entrain {

/// What an argument of a function is.
enum class Takes { metric, variant, number, list, numbers };

/// A parameter of a function. `numbers` takes all arguments that are left, one at least.
struct FunctionParameter {
  std::string name;
  Takes takes = Takes::number;
  bool optional = false;
};

/// A function of expressions: of numbers (log, max), or of the results of a variant's runs, where
/// each run gives a figure and the function is the mean over seeds (variance: their variance).
struct Function {
  std::string name;
  std::vector<FunctionParameter> parameters;
  std::string meaning;
};

const std::vector<Function>& functions();

/// "name(parameter, [optional])" and its meaning, a line each.
std::string functions_help();

/// The function of that name, or null.
const Function* find_function(std::string_view name);

}  // namespace entrain
