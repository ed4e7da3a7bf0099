#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "entrain/config/given.h"

namespace entrain {

/// Everything that a TOML file gives, line by line; a table comes before what is in it (of
/// which nothing is listed eight tables deep). Knows nothing of settings. A key of other characters
/// than letters, digits, '_' and '-' keeps quotes.
///
/// Throws UsageError for a file that cannot be read, is over 1 MiB or is not TOML.
std::vector<Given> read_toml(const std::filesystem::path& file);

/// `text` as a TOML string on one line, quotes and escapes included.
std::string toml_quote(std::string_view text);

/// Whether `text` can be written into a TOML file and read back: UTF-8 without zero bytes.
bool is_utf8(std::string_view text);

}  // namespace entrain
