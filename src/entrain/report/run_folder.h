#pragma once

#include <filesystem>
#include <string>

#include "entrain/core/files.h"
#include "entrain/report/records.h"

namespace entrain {

/// The folder of one run: what was run, what came out. Files are whole or not there;
/// metrics.jsonl, the source of truth, consists of whole lines.
class RunFolder {
 public:
  /// Makes `path`, which must not exist or be empty. Throws UsageError if there is something in it,
  /// RunError if it cannot be made or written.
  static RunFolder create(const std::filesystem::path& path);

  /// Makes `<parent>/<date>-<name>-<id>` with an id that nobody else has.
  static RunFolder create_under(const std::filesystem::path& parent, const std::string& name);

  const std::filesystem::path& path() const { return path_; }

  /// Writes a file of the folder, whole or not at all.
  void write(const std::string& file, std::string_view content) const;

  /// Appends a line to metrics.jsonl.
  template <class Record>
  void record(const Record& record);

 private:
  explicit RunFolder(std::filesystem::path path);

  std::filesystem::path path_;
  LineFile metrics_;
};

}  // namespace entrain

#include "entrain/report/json.h"

template <class Record>
void entrain::RunFolder::record(const Record& record) {
  metrics_.append(to_json_line(record));
}
