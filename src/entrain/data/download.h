#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace entrain {

/// Downloads `file` of the data set `name` into `folder`, from the first of `places` (URLs of
/// folders) that gives it. Throws DataError, which has the URLs, what curl said of each, and the
/// way around; Interrupted after a Ctrl-C if interrupts are watched.
void download_file(const std::string& name, const std::vector<std::string>& places,
                   const std::string& file, const std::filesystem::path& folder);

}  // namespace entrain
