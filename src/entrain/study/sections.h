#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrain/config/given.h"

namespace entrain {

/// One table of a study file: what it gives, with the table's own key taken off.
struct Section {
  std::string origin;
  std::vector<Given> given = {};

  /// Null if it is not there.
  const Given* find(std::string_view key) const;

  /// Throws UsageError if it is not there.
  const Given& require(std::string_view key) const;

  /// The text of that key, or empty. Throws UsageError if it is something else.
  std::string text(std::string_view key) const;

  /// Removes the table `key` inside of this one, and returns what it gives.
  std::vector<Given> take(const std::string& key);

  /// Removes the entry `key` and returns it, if it is there.
  std::optional<Given> take_one(std::string_view key);
};

/// The tables of a study file.
struct Sections {
  Section top, base, tune;  ///< An origin that is empty: the table is not there.
  std::vector<Section> variants, claims;
};

/// Reads a study file as far as its tables. Throws UsageError for other tables and keys at the top.
Sections read_sections(const std::filesystem::path& file);

/// Throws UsageError: "<origin>: <why>".
[[noreturn]] void refuse_at(const std::string& origin, const std::string& why);

/// Throws UsageError for a key that is none of `known`.
void check_known(const Given& given, const std::vector<std::string>& known);

/// The value as what it has to be; throws UsageError where it is not.
std::string text_of(const Given& given);
std::vector<std::string> texts_of(const Given& given);
int count_of(const Given& given, int least);           ///< A whole number of seeds, at most 1000.
std::vector<std::string> grid_of(const Given& given);  ///< Numbers that grow, at least three.

}  // namespace entrain
