#pragma once

#include <string>

#include "entrain/config/resolve.h"

namespace entrain {

/// The configuration as a TOML file: every setting, so that resolve() reads the same Settings back.
std::string to_toml(const Resolved& resolved);

/// A line "key = value   # origin" for every setting, aligned.
std::string describe(const Resolved& resolved);

/// The page docs/settings.md.
std::string settings_markdown();

/// The settings as --help shows them, a line each.
std::string settings_help();

}  // namespace entrain
