#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace entrain {

/// Writes a file whole or not at all: into a temporary neighbour, synced, then renamed over `path`.
/// Throws RunError with the path and the system's reason.
void write_whole(const std::filesystem::path& path, std::string_view content);

/// Reads a file whole. Throws RunError.
std::string read_whole(const std::filesystem::path& path);

/// A file that grows by lines; each is handed to the system at once, so that a killed run and
/// a full disk leave whole lines.
class LineFile {
 public:
  /// Throws RunError if `path` cannot be opened.
  explicit LineFile(std::filesystem::path path);

  /// Throws RunError, as for a full disk.
  void append(std::string_view line);

 private:
  std::filesystem::path path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  long size_ = 0;  // of whole lines
};

}  // namespace entrain
