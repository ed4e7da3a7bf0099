#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace entrain {

/// What preparing a data set has done.
struct PrepareReport {
  std::filesystem::path folder;       // where its files are; empty if it needs none
  bool changed = false;               // false: nothing was to be done
  std::string message;                // one sentence for the user
  std::vector<std::string> warnings;  // of the data set, as Dataset::warnings
};

/// Throws UsageError, with a suggestion, unless `name` is in dataset_table() or libsvm_table().
void require_preparable(const std::string& name);

/// Checks the original files of data set `name` in the folder `from` (or `from` itself, where that
/// is an archive that holds them all) by loading them, then copies them as they are to
/// `<root>/<name>/`. That folder appears at once and complete, or not at
/// all. A data set that is there already is never overwritten: if it has the same samples, the
/// report says so, else it is a DataError. A set of libsvm_table() is one file of its own in
/// `<root>/libsvm/`: see prepare_libsvm().
///
/// Throws UsageError for an unknown name, DataError for files that are missing or broken, RunError
/// if `root` cannot be written.
PrepareReport prepare_dataset(const std::string& name, const std::filesystem::path& root,
                              const std::filesystem::path& from);

/// As prepare_dataset(), from the official place of the data set or, where that fails, from its
/// mirrors, by the program `curl`. Nothing else in entrain touches the network, and this does not
/// either if the official files are in `<root>/<name>/` already. Also throws DataError if there is
/// no curl or no place gave the file; the message has the URL, what curl said, and the way around.
/// Throws Interrupted after a Ctrl-C if interrupts are watched.
PrepareReport download_dataset(const std::string& name, const std::filesystem::path& root);

}  // namespace entrain
