#include "entrain/study/sections.h"

#include <algorithm>
#include <charconv>

#include "entrain/config/toml.h"
#include "entrain/core/errors.h"
#include "entrain/core/text.h"

namespace entrain {
namespace {

using Kind = Given::Kind;

constexpr int most_seeds = 1000;  // above it a study is a mistake; tuning seeds lie apart

template <class Givens>
auto find_in(Givens& given, std::string_view key) {
  return std::find_if(given.begin(), given.end(), [&](const Given& one) { return one.key == key; });
}

// "variant[3].workers" is of the list "variant"; what it gives goes to the end of `list`.
bool put_into_list(const Given& given, std::string_view key, std::vector<Section>& list) {
  if (!given.key.starts_with(fmt::format("{}[", key))) return false;
  const std::size_t dot = given.key.find("].");
  if (dot == std::string::npos) {
    list.push_back({given.origin});
  } else {
    ENTRAIN_CHECK(!list.empty());
    list.back().given.push_back(given);
    list.back().given.back().key.erase(0, dot + 2);
  }
  return true;
}

bool put_into_table(const Given& given, std::string_view key, Section& section) {
  if (given.kind == Kind::table && given.key == key) {
    section.origin = given.origin;
    return true;
  }
  if (!given.key.starts_with(fmt::format("{}.", key))) return false;
  if (section.origin.empty()) section.origin = given.origin;
  section.given.push_back(given);
  section.given.back().key.erase(0, key.size() + 1);
  return true;
}

void check_brackets(const Given& given) {
  const bool list = given.key == "variant" || given.key == "claim";
  if (list) refuse_at(given.origin, fmt::format("write it as [[{}]], one for each", given.key));
  const bool table = given.key == "base" || given.key == "tune";
  if (table) refuse_type(given, fmt::format("a table, as in [{}]", given.key));
}

}  // namespace

void refuse_at(const std::string& origin, const std::string& why) {
  throw UsageError(fmt::format("{}: {}", origin, why));
}

std::string text_of(const Given& given) {
  if (given.kind != Kind::text || given.value.empty()) refuse_type(given, "a text");
  return given.value;
}

int count_of(const Given& given, int least) {
  int count = 0;
  const char* end = given.value.data() + given.value.size();
  const bool read = std::from_chars(given.value.data(), end, count).ec == std::errc();
  if (given.kind != Kind::integer || !read || count < least || count > most_seeds) {
    refuse_type(given, fmt::format("a whole number from {} to {}", least, most_seeds));
  }
  return count;
}

std::vector<std::string> texts_of(const Given& given) {
  std::vector<std::string> texts;
  for (const Given& item : given.items) texts.push_back(text_of(item));
  if (texts.empty()) refuse_type(given, "a list of texts");
  return texts;
}

std::vector<std::string> grid_of(const Given& given) {
  std::vector<std::string> grid;
  double before = 0;
  for (const Given& item : given.items) {
    double value = 0;
    const char* end = item.value.data() + item.value.size();
    const bool read = std::from_chars(item.value.data(), end, value).ec == std::errc();
    const bool grows = grid.empty() || value > before;
    if ((item.kind != Kind::integer && item.kind != Kind::number) || !read || !grows) {
      refuse_type(item, "a number above the one before it");
    }
    grid.push_back(item.value);
    before = value;
  }
  if (grid.size() < 3)
    refuse_type(given, "a grid of at least 3 numbers: the best at its edge proves nothing");
  return grid;
}

void check_known(const Given& given, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), given.key) != known.end()) return;
  refuse_at(given.origin,
            fmt::format("unknown key '{}'{}", excerpt(given.key), suggestion(given.key, known)));
}

const Given* Section::find(std::string_view key) const {
  const auto found = find_in(given, key);
  return found == given.end() ? nullptr : &*found;
}

const Given& Section::require(std::string_view key) const {
  const Given* found = find(key);
  if (!found) refuse_at(origin, fmt::format("{} is missing", key));
  return *found;
}

std::string Section::text(std::string_view key) const {
  const Given* found = find(key);
  return found ? text_of(*found) : "";
}

std::vector<Given> Section::take(const std::string& key) {
  std::vector<Given> taken, kept;
  for (Given& one : given) {
    if (one.key == key && one.kind == Kind::table) continue;
    const bool inside = one.key.starts_with(key + ".");
    if (inside) one.key.erase(0, key.size() + 1);
    (inside ? taken : kept).push_back(std::move(one));
  }
  given = std::move(kept);
  return taken;
}

std::optional<Given> Section::take_one(std::string_view key) {
  const auto found = find_in(given, key);
  if (found == given.end()) return std::nullopt;
  Given taken = std::move(*found);
  given.erase(found);
  return taken;
}

Sections read_sections(const std::filesystem::path& file) {
  Sections sections;
  sections.top.origin = file.string();
  for (const Given& given : read_toml(file)) {
    if (put_into_list(given, "variant", sections.variants) ||
        put_into_list(given, "claim", sections.claims) ||
        put_into_table(given, "base", sections.base) ||
        put_into_table(given, "tune", sections.tune)) {
      continue;
    }
    check_brackets(given);
    check_known(given, {"name", "title", "seeds", "show", "base", "tune", "variant", "claim"});
    sections.top.given.push_back(given);
  }
  return sections;
}

}  // namespace entrain
