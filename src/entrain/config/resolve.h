#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entrain/config/given.h"
#include "entrain/config/settings.h"
#include "entrain/core/errors.h"

namespace entrain {

/// The settings of a run, and where each came from.
struct Resolved {
  Settings values;
  std::map<std::string, std::string> origins;  // of the keys that were given

  /// "default", "examples/mnist.toml:12", "ENTRAIN_DATA__ROOT" or "command line". Keys are those of
  /// settings_table(), and "strategy.round[0]" and "strategy.round[0].when" for rounds.
  std::string origin(std::string_view key) const;
};

/// Layers the settings: `overrides` ("train.steps=200", strings with or without quotes) win over
/// `environment` (ENTRAIN_DATA__ROOT is data.root), that over `file`, that over the defaults. A
/// preset given outside of the file replaces the file's rounds; with neither preset nor rounds the
/// preset is default_strategy. What network.preset says holds where nothing was given.
///
/// Throws UsageError for whatever cannot be meant, with its origin, the value and, if one is near,
/// a suggestion. Variables that do not look like a key (no "__", no key of the top) are not ours,
/// so that environment() of core/environment.h can be given whole.
Resolved resolve(const std::optional<std::filesystem::path>& file,
                 const std::vector<std::string>& overrides,
                 const std::map<std::string, std::string>& environment);

/// Layers what was read elsewhere, the weakest first, as resolve() of a file does.
Resolved resolve(const std::vector<std::vector<Given>>& layers);

/// Runs `build` and returns what it returns; a UsageError gets "<origin>: <key>: " in front.
template <class Build>
auto located(const Resolved& resolved, std::string_view key, Build build) {
  try {
    return build();
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: {}: {}", resolved.origin(key), key, error.what()));
  }
}

}  // namespace entrain
