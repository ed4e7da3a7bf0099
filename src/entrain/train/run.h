#pragma once

#include <filesystem>
#include <optional>

#include "entrain/config/resolve.h"
#include "entrain/report/records.h"

namespace entrain {

/// How a run talks to the one who started it.
struct RunOptions {
  std::optional<std::filesystem::path> out;  ///< The run folder; else runs/<date>-<name>-<id>.
  bool progress = true;                      ///< A line on stderr, and the path of the folder.
};

/// What came out of a run, and where it lies (empty but for rank 0).
struct RunResult {
  Summary summary;
  std::filesystem::path folder;
};

/// Trains as the settings say, on this process's workers, together with the processes that a
/// launcher's variables name. Blocks until done. All input is checked before the first contact and
/// before a folder is made. Throws UsageError, DataError, CommunicationError, RunError; Interrupted
/// after Ctrl-C, with the summary written.
RunResult run(const Resolved& resolved, const RunOptions& options);

}  // namespace entrain
