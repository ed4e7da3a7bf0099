#include "entrain/study/template_text.h"

#include "entrain/core/errors.h"
#include "entrain/core/text.h"

namespace entrain {
namespace {

constexpr std::size_t most_combinations = 1000;
constexpr std::size_t largest_text = 100'000;

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string single_value(const Given& given) {
  const bool usable = given.kind == Given::Kind::text || given.kind == Given::Kind::integer ||
                      given.kind == Given::Kind::number;
  if (!usable) refuse_type(given, "numbers or texts, as in [20, 50]");
  return given.value;
}

std::vector<std::string> values_of(const Given& given) {
  std::vector<std::string> values;
  for (const Given& item : given.items) values.push_back(single_value(item));
  if (values.empty()) values.push_back(single_value(given));
  return values;
}

}  // namespace

std::string replaced(std::string text, const Replacements& replacements) {
  for (const auto& [name, value] : replacements) {
    const std::string placeholder = "{" + name + "}";
    for (std::size_t at = 0; (at = text.find(placeholder, at)) != std::string::npos;) {
      text.replace(at, placeholder.size(), value);
      at += value.size();
      if (text.size() > largest_text) {
        throw UsageError(fmt::format("'{}': over {} bytes once {} is replaced", excerpt(text),
                                     largest_text, placeholder));
      }
    }
  }
  return text;
}

std::string placeholder_in(const std::string& text) {
  for (std::size_t open = 0; (open = text.find('{', open)) != std::string::npos; ++open) {
    std::size_t end = open + 1;
    while (end < text.size() && is_name_letter(text[end])) ++end;
    if (end > open + 1 && end < text.size() && text[end] == '}') {
      return text.substr(open + 1, end - open - 1);
    }
  }
  return "";
}

std::vector<Replacements> combinations(const std::vector<Given>& each) {
  std::vector<Replacements> all(1);
  for (const Given& given : each) {
    std::vector<Replacements> longer;
    for (const Replacements& before : all) {
      for (const std::string& value : values_of(given)) {
        longer.push_back(before);
        longer.back()[given.key] = value;
      }
    }
    if (longer.size() > most_combinations) {
      throw UsageError(
          fmt::format("{}: each: over {} combinations", given.origin, most_combinations));
    }
    all = std::move(longer);
  }
  return all;
}

}  // namespace entrain
