#include "entrain/config/describe.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "entrain/config/toml.h"

namespace entrain {
namespace {

/// The fields of a round as `key = value`, in the order of round_keys().
std::vector<std::string> round_fields(const RoundText& round) {
  std::vector<std::string> result;
  for (const RoundKey& field : round_keys()) {
    const auto found = round.find(field.key);
    if (found == round.end()) continue;
    result.push_back(fmt::format("{} = {}", field.key, toml_quote(found->second)));
  }
  return result;
}

std::string without_table(const std::string& key) { return key.substr(key.rfind('.') + 1); }

/// The default of a setting; empty where it says "not given".
std::string default_text(const Setting& setting) {
  return objection(setting, Settings{}).empty() ? value_text(setting, {}) : "";
}

std::string in_cell(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '|' ? "\\|" : std::string(1, c);
  return result;
}

using Lines = std::vector<std::pair<std::string, std::string>>;

/// Two columns, the second one aligned behind `between`.
std::string in_columns(const Lines& lines, std::string_view between) {
  constexpr std::size_t widest_column = 60;
  std::size_t width = 0;
  for (const auto& [left, right] : lines) {
    if (left.size() <= widest_column) width = std::max(width, left.size());
  }
  std::string result;
  for (const auto& [left, right] : lines) {
    result += fmt::format("{:<{}}{}{}\n", left, width, between, right);
  }
  return result;
}

}  // namespace

std::string to_toml(const Resolved& resolved) {
  std::string result;
  std::string table;
  for (const Setting& setting : settings_table()) {
    if (table_of(setting.key) != table) {
      table = table_of(setting.key);
      result += fmt::format("\n[{}]\n", table);
    }
    // What may not be given is a default that says "not given".
    const bool given = objection(setting, resolved.values).empty();
    result += fmt::format("{}{} = {}\n", given ? "" : "# ", without_table(setting.key),
                          value_text(setting, resolved.values));
  }
  for (const RoundText& round : resolved.values.strategy.rounds) {
    result += fmt::format("\n[[strategy.round]]\n{}\n", fmt::join(round_fields(round), "\n"));
  }
  return result;
}

std::string describe(const Resolved& resolved) {
  Lines lines;
  for (const Setting& setting : settings_table()) {
    lines.push_back({fmt::format("{} = {}", setting.key, value_text(setting, resolved.values)),
                     resolved.origin(setting.key)});
  }
  const auto& rounds = resolved.values.strategy.rounds;
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    const std::string key = fmt::format("strategy.round[{}]", i);
    lines.push_back({fmt::format("{} = {{ {} }}", key, fmt::join(round_fields(rounds[i]), ", ")),
                     resolved.origin(key)});
  }
  return in_columns(lines, "   # ");
}

std::string settings_markdown() {
  std::string result =
      "# Settings\n\n"
      "Given in a TOML file (`[train]` and `batch = 32`), in the environment\n"
      "(`ENTRAIN_TRAIN__BATCH=32`) or on the command line (`train.batch=32`); the command line "
      "wins\n"
      "over the environment, that over the file, that over the default. `entrain train CONFIG\n"
      "--dry-run` prints each setting and where it came from.\n\n"
      "| key | default | meaning |\n| --- | --- | --- |\n";
  for (const Setting& setting : settings_table()) {
    const std::string text = default_text(setting);
    result +=
        fmt::format("| `{}` | {} | {} |\n", setting.key,
                    text.empty() ? "" : fmt::format("`{}`", in_cell(text)), in_cell(setting.help));
  }
  result +=
      "\n## Rounds\n\n"
      "Instead of `strategy.preset`, a file may list the rounds of a strategy, each in a\n"
      "`[[strategy.round]]` table, from narrow to wide. Every field is the text of a value.\n\n"
      "| key | meaning |\n| --- | --- |\n";
  for (const RoundKey& field : round_keys()) {
    result += fmt::format("| `{}` | {} |\n", field.key, in_cell(field.help));
  }
  return result;
}

std::string settings_help() {
  Lines lines;
  for (const Setting& setting : settings_table()) {
    const std::string text = default_text(setting);
    lines.push_back(
        {fmt::format("  {}{}{}", setting.key, text.empty() ? "" : "=", text), setting.help});
  }
  return in_columns(lines, "  ");
}

}  // namespace entrain
