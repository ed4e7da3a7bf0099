#pragma once

#include <map>
#include <string>

namespace entrain {

/// The variables of this process.
std::map<std::string, std::string> environment();

}  // namespace entrain
