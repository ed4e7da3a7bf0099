#include "entrain/comm/variables.h"

#include <charconv>

#include "entrain/core/errors.h"

namespace entrain {

std::string text_of(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

std::string text_of(const Environment& environment, const std::string& name,
                    const std::string& other) {
  const std::string text = text_of(environment, name);
  return text.empty() ? text_of(environment, other) : text;
}

int integer_of(const Environment& environment, const std::string& name, int low, int high,
               const std::string& if_missing) {
  if (!environment.contains(name)) throw UsageError(if_missing);
  const std::string text = text_of(environment, name);
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    throw UsageError(fmt::format("{}={}: must be an integer from {} to {}", name, text, low, high));
  }
  return value;
}

}  // namespace entrain
