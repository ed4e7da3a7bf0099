#pragma once

#include <map>
#include <string>
#include <vector>

#include "entrain/config/given.h"

namespace entrain {

/// What replaces {name}, by name.
using Replacements = std::map<std::string, std::string>;

/// `text` with every {name} of `replacements` replaced. Throws UsageError for a text beyond reason.
std::string replaced(std::string text, const Replacements& replacements);

/// The name of a {name} in `text`, of letters, digits and '_'; empty if there is none.
std::string placeholder_in(const std::string& text);

/// One Replacements for each combination of the values of an `each` table, given as "n", "h", ...
/// with arrays or single values; the last name varies fastest. One that is empty if there are none.
/// Throws UsageError with the origin.
std::vector<Replacements> combinations(const std::vector<Given>& each);

}  // namespace entrain
