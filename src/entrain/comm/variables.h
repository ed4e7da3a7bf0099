#pragma once

#include <map>
#include <string>

namespace entrain {

using Environment = std::map<std::string, std::string>;

/// The value of a variable; empty if it is not set.
std::string text_of(const Environment& environment, const std::string& name);

/// The value of the first of the two variables that is set and not empty; else empty.
std::string text_of(const Environment& environment, const std::string& name,
                    const std::string& other);

/// A variable that must be an integer from `low` to `high`. Throws UsageError that quotes it, or
/// says `if_missing` where it is not set.
int integer_of(const Environment& environment, const std::string& name, int low, int high,
               const std::string& if_missing);

}  // namespace entrain
