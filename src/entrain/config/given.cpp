#include "entrain/config/given.h"

#include "entrain/config/settings.h"
#include "entrain/core/errors.h"
#include "entrain/core/text.h"

namespace entrain {
namespace {

constexpr std::string_view variable_prefix = "ENTRAIN_";

std::string variable_of(std::string_view key) {
  std::string result(variable_prefix);
  for (const char c : key) {
    if (c == '.') {
      result += "__";
    } else {
      result += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return result;
}

}  // namespace

std::string shown(const Given& given) {
  const bool quoted = given.kind == Given::Kind::raw || given.kind == Given::Kind::text;
  if (given.kind == Given::Kind::table) return "a table";
  return quoted ? fmt::format("'{}'", excerpt(given.value)) : excerpt(given.value);
}

void refuse_type(const Given& given, std::string_view wanted) {
  throw UsageError(
      fmt::format("{}: {} = {}: must be {}", given.origin, given.key, shown(given), wanted));
}

std::vector<Given> read_environment(const std::map<std::string, std::string>& environment) {
  std::map<std::string, std::string> keys;
  std::vector<std::string> names;
  for (const Setting& setting : settings_table()) {
    names.push_back(variable_of(setting.key));
    keys[names.back()] = setting.key;
  }
  std::vector<Given> result;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(variable_prefix)) continue;
    if (const auto found = keys.find(name); found != keys.end()) {
      result.push_back({found->second, name, Given::Kind::raw, value});
    } else if (name.find("__") != std::string::npos) {
      throw UsageError(
          fmt::format("{}: no setting is called so{}", excerpt(name), suggestion(name, names)));
    }
  }
  return result;
}

std::vector<Given> read_overrides(const std::vector<std::string>& overrides) {
  std::vector<Given> result;
  for (const std::string& text : overrides) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      throw UsageError(fmt::format("'{}': an override is key=value", excerpt(text)));
    }
    result.push_back(
        {text.substr(0, equals), "command line", Given::Kind::raw, text.substr(equals + 1)});
  }
  return result;
}

}  // namespace entrain
