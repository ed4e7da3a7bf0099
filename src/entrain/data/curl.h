#pragma once

#include <filesystem>
#include <string>

namespace entrain {

/// Downloads `url` to the new file `to` by running the program `curl` (no shell), and waits for its
/// end. Returns an empty text, or else why there is no such file now. Keeps curl's messages in
/// `<to>.log` meanwhile.
std::string curl(const std::string& url, const std::filesystem::path& to);

}  // namespace entrain
