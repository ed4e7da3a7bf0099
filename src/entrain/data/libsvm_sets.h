#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "entrain/data/prepare.h"

namespace entrain {

/// A published set in LIBSVM's format, one file. Others are read as well (find_libsvm()), but not
/// prepared.
struct LibsvmSet {
  std::string name, summary;
  std::int64_t samples = 0, features = 0;  // as published
};

/// In the order in which lists show them.
const std::vector<LibsvmSet>& libsvm_table();

/// Null if libsvm_table() has no set of this name.
const LibsvmSet* libsvm_set(const std::string& name);

/// Checks the file of `set` by reading it: `from` itself, or `<name>` or `<name>.gz` in the folder
/// `from`. Then copies it as it is into `<root>/libsvm/`, whole or not at all. One that is there is
/// never overwritten: if it has the same samples, the report says so, else it is a DataError. Warns
/// where the numbers of samples and features are not the published ones. Throws DataError for a
/// file that is missing or broken, RunError if `root` cannot be written.
PrepareReport prepare_libsvm(const LibsvmSet& set, const std::filesystem::path& root,
                             const std::filesystem::path& from);

/// As prepare_libsvm(), from the official place; not touched if the file is there. Also throws as
/// download_file().
PrepareReport download_libsvm(const LibsvmSet& set, const std::filesystem::path& root);

}  // namespace entrain
