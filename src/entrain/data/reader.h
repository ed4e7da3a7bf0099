#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace entrain {

/// `folder/name`, or else `folder/name.gz`; empty if neither is a file.
std::optional<std::filesystem::path> plain_or_gz(const std::filesystem::path& folder,
                                                 const std::string& name);

/// Throws DataError that says so.
[[noreturn]] void cannot_read(const std::filesystem::path& path, const std::string& why);

/// Whether a Reader computes a checksum of what it reads: SHA-256 costs 0.5 to 2.5 ns a byte.
enum class Checksum { none, sha256 };

/// Reads a file, plain or gzip, from its beginning to its end, and computes the checksum of its
/// content on the way. Not for use by two threads at once.
class Reader {
 public:
  /// Throws DataError if the file cannot be opened.
  explicit Reader(const std::filesystem::path& path, Checksum checksum = Checksum::sha256);
  ~Reader();
  Reader(Reader&&) noexcept;

  /// Fills `to` with uncompressed bytes and returns how many; fewer than asked only at the end.
  /// Throws DataError if the file cannot be read, or is a gzip file that is cut short or corrupt.
  std::size_t read(std::span<std::uint8_t> to);

  /// SHA-256, in hex, of all that was read. No read() may follow. REQUIRES: Checksum::sha256.
  std::string sha256();

  const std::filesystem::path& path() const { return path_; }

 private:
  struct State;
  std::filesystem::path path_;
  std::unique_ptr<State> state_;
};

}  // namespace entrain
