#include "entrain/config/resolve.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <set>
#include <type_traits>
#include <utility>

#include "entrain/config/network_presets.h"
#include "entrain/config/toml.h"
#include "entrain/core/text.h"

namespace entrain {
namespace {

constexpr std::string_view rounds_key = "strategy.round";

[[noreturn]] void refuse_given(const Given& given, std::string_view why) {
  throw UsageError(fmt::format("{}: {}", given.origin, why));
}

void refuse_objection(const Given& given, std::string_view value, std::string_view why) {
  if (why.empty()) return;
  refuse_given(given, fmt::format("{} = {}: {}", given.key, excerpt(value), why));
}

bool is_table(std::string_view key) {
  const auto& table = settings_table();
  return !key.empty() && std::any_of(table.begin(), table.end(), [&](const Setting& setting) {
    return table_of(setting.key) == key;
  });
}

std::string last_part(std::string_view key) { return std::string(key.substr(key.rfind('.') + 1)); }

/// What may have been meant by a key that no setting has: one that is written nearly so, or one of
/// the same name in another table; else what there is beside it.
std::string key_suggestion(std::string_view key) {
  std::set<std::string> names;
  for (const Setting& setting : settings_table()) {
    names.insert(setting.key);
    if (!table_of(setting.key).empty()) names.insert(table_of(setting.key));
  }
  const std::vector<std::string> known(names.begin(), names.end());
  if (!nearest(key, known).empty()) return suggestion(key, known);
  std::vector<std::string> beside;
  for (const std::string& name : known) {
    if (last_part(name) == last_part(key)) return fmt::format("; did you mean '{}'?", name);
    if (table_of(name) == table_of(key)) beside.push_back(name);
  }
  return suggestion(key, beside.empty() ? known : beside);
}

[[noreturn]] void refuse_key(const Given& given) {
  if (given.kind != Given::Kind::table && is_table(given.key)) {
    refuse_given(given, fmt::format("{} = {}: this is a table, as in [{}]", given.key, shown(given),
                                    given.key));
  }
  refuse_given(given,
               fmt::format("unknown key '{}'{}", excerpt(given.key), key_suggestion(given.key)));
}

/// `text` without the quotes that a shell left around it.
std::string unquoted(const std::string& text) {
  const bool quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'') &&
                      text.front() == text.back();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

template <class Number>
bool read_number(const std::string& text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end && !text.empty();
}

/// Puts a given value into the field of its setting.
struct Assignment {
  const Given& given;

  bool may_be(Given::Kind kind) const {
    return given.kind == kind || given.kind == Given::Kind::raw;
  }

  void operator()(std::string* field) const {
    if (!may_be(Given::Kind::text) && given.kind != Given::Kind::integer) {
      refuse_type(given, "text");
    }
    *field = given.kind == Given::Kind::raw ? unquoted(given.value) : given.value;
  }

  void operator()(double* field) const {
    const bool fits = may_be(Given::Kind::number) || given.kind == Given::Kind::integer;
    if (!fits || !read_number(given.value, *field)) refuse_type(given, "a number");
  }

  template <class Integer>
  void operator()(Integer* field) const {
    std::int64_t read = 0;
    if (!may_be(Given::Kind::integer) || !read_number(given.value, read)) {
      refuse_type(given, "a whole number");
    }
    if (read < 0 && std::is_unsigned_v<Integer>) refuse_type(given, "at least 0");
    if (!std::in_range<Integer>(read)) {
      refuse_type(given, fmt::format("at most {}", std::numeric_limits<Integer>::max()));
    }
    *field = static_cast<Integer>(read);
  }
};

/// Builds up a Resolved, layer by layer, the weakest first.
class Layering {
 public:
  void apply(const std::vector<Given>& layer) {
    std::set<std::string> seen;
    for (const Given& given : layer) {
      if (!seen.insert(given.key).second) {
        refuse_given(given, fmt::format("{} is given twice", excerpt(given.key)));
      }
      if (given.key.starts_with(rounds_key)) {
        apply_round(given);
      } else if (given.kind != Given::Kind::table) {
        assign(given);
      } else if (const Setting* setting = find_setting(given.key)) {
        refuse_type(given, type_of(*setting));
      } else if (!is_table(given.key)) {
        refuse_key(given);
      }
    }
  }

  void settle_rounds_of_file() {
    auto& [preset, rounds] = result_.values.strategy;
    for (std::size_t i = 0; i < rounds.size(); ++i) {
      const std::string key = fmt::format("{}[{}]", rounds_key, i);
      if (rounds[i].contains("of")) continue;
      throw UsageError(fmt::format("{}: {}: of is required: {}", result_.origin(key), key,
                                   fmt::join(round_keys().front().check.words, ", ")));
    }
    if (preset.empty() || rounds.empty()) return;
    throw UsageError(fmt::format(
        "{}: strategy.preset and [[strategy.round]] ({}) are both given; leave one of them out",
        result_.origin("strategy.preset"), result_.origin("strategy.round[0]")));
  }

  Resolved finish() && {
    apply_network_preset();
    auto& [preset, rounds] = result_.values.strategy;
    if (preset.empty() && rounds.empty()) preset = default_strategy;
    if (!preset.empty()) {
      rounds.clear();
      std::erase_if(result_.origins,
                    [](const auto& entry) { return entry.first.starts_with(rounds_key); });
    }
    return std::move(result_);
  }

 private:
  // A preset is weaker than whatever was given, and its values are then as good as given: a run
  // from them is the same.
  void apply_network_preset() {
    const std::string& name = result_.values.network.preset;
    for (const auto& [key, text] : network_preset(name)) {
      if (result_.origins.contains(key)) continue;
      const Setting* setting = find_setting(key);
      ENTRAIN_CHECK(setting);
      *std::get<std::string*>(setting->field(result_.values)) = text;
      result_.origins[key] =
          fmt::format("network.preset = {} ({})", name, result_.origin("network.preset"));
    }
  }

  void assign(const Given& given) {
    const Setting* setting = find_setting(given.key);
    if (!setting) refuse_key(given);
    std::visit(Assignment{given}, setting->field(result_.values));
    refuse_objection(given, value_text(*setting, result_.values),
                     objection(*setting, result_.values));
    result_.origins[given.key] = given.origin;
  }

  void apply_round(const Given& given) {
    std::vector<RoundText>& rounds = result_.values.strategy.rounds;
    const bool inside = given.key.starts_with(fmt::format("{}[", rounds_key));
    if (given.kind == Given::Kind::raw || !inside) {
      refuse_given(given, fmt::format("{}: rounds are given as [[strategy.round]] in the file",
                                      excerpt(given.key)));
    }
    if (given.key == fmt::format("{}[{}]", rounds_key, rounds.size())) {
      rounds.emplace_back();
    } else {
      ENTRAIN_CHECK(!rounds.empty());
      const RoundKey& field = round_field(given);
      std::string& text = rounds.back()[field.key];
      Assignment{given}(&text);
      refuse_objection(given, toml_quote(text), objection(field.check, text));
    }
    result_.origins[given.key] = given.origin;
  }

  static const RoundKey& round_field(const Given& given) {
    const std::string field = given.key.substr(given.key.find("].") + 2);
    std::vector<std::string> known;
    for (const RoundKey& key : round_keys()) {
      if (key.key == field) return key;
      known.push_back(key.key);
    }
    refuse_given(given,
                 fmt::format("unknown key '{}'{}", excerpt(given.key), suggestion(field, known)));
  }

  Resolved result_;
};

}  // namespace

std::string Resolved::origin(std::string_view key) const {
  const auto found = origins.find(std::string(key));
  return found == origins.end() ? "default" : found->second;
}

Resolved resolve(const std::optional<std::filesystem::path>& file,
                 const std::vector<std::string>& overrides,
                 const std::map<std::string, std::string>& environment) {
  Layering layering;
  if (file) layering.apply(read_toml(*file));
  layering.settle_rounds_of_file();
  layering.apply(read_environment(environment));
  layering.apply(read_overrides(overrides));
  return std::move(layering).finish();
}

Resolved resolve(const std::vector<std::vector<Given>>& layers) {
  Layering layering;
  for (const std::vector<Given>& layer : layers) layering.apply(layer);
  layering.settle_rounds_of_file();
  return std::move(layering).finish();
}

}  // namespace entrain
