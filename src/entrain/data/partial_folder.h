#pragma once

#include <filesystem>
#include <string>
#include <system_error>

namespace entrain {

/// A new folder beside `target`, removed with all it holds unless it becomes `target`. Throws
/// RunError where that cannot be written.
class PartialFolder {
 public:
  explicit PartialFolder(const std::filesystem::path& target);
  ~PartialFolder();
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;

  const std::filesystem::path& location() const { return path_; }

  void become(const std::filesystem::path& target);

 private:
  std::filesystem::path path_;
};

/// Throws RunError that says so.
[[noreturn]] void cannot_write(const std::filesystem::path& where, const std::error_code& error);

/// Throws DataError: what is at `target` is not overwritten. `why` says what it is.
[[noreturn]] void cannot_replace(const std::filesystem::path& target, const std::string& why);

}  // namespace entrain
