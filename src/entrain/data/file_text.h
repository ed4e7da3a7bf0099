#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

namespace entrain {

/// The whole text of a file: mapped into memory, or unpacked there if it is gzip (by its first
/// bytes, whatever its name). A mapped file must not be cut short by others meanwhile.
class FileText {
 public:
  /// Throws DataError if `path` is no regular file, cannot be read, is a gzip file that is cut
  /// short, corrupt or unpacks to more than 4 GiB, or is packed in another way (bzip2, xz).
  explicit FileText(const std::filesystem::path& path);

  /// Valid as long as a copy of this lives.
  std::string_view view() const { return {content_.get(), size_}; }

 private:
  void map(const std::filesystem::path& path);
  void unpack(const std::filesystem::path& path);

  std::shared_ptr<const char> content_;
  std::size_t size_ = 0;
};

}  // namespace entrain
