#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace entrain {

/// Reads the files in a tar archive, plain, .gz or .xz (told by its content), one after another in
/// one pass, without writing anything. The archive is not trusted: names lose their folders, links
/// and devices are passed over, and what it unpacks to is bounded. Not for use by two threads at
/// once.
///
/// Every function throws DataError if the archive cannot be read, is cut short, corrupt or no tar.
class TarReader {
 public:
  explicit TarReader(const std::filesystem::path& path);
  ~TarReader();

  /// Goes to the next regular file and returns its name without folders; empty at the end. By then
  /// the archive was read to its last byte and the checksums of gzip or xz were right.
  std::optional<std::string> next();

  /// Of the present file, as the archive claims: not to be believed in before it was read.
  std::uint64_t size() const;

  /// Fills `to` with bytes of the present file and returns how many; fewer than asked only at its
  /// end.
  std::size_t read(std::span<std::uint8_t> to);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace entrain
