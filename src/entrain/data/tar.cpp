#include "entrain/data/tar.h"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <exception>
#include <fstream>
#include <functional>
#include <string_view>
#include <vector>

#include "entrain/core/errors.h"
#include "entrain/data/reader.h"

namespace entrain {
namespace {

constexpr std::size_t block_size = 256 * 1024;
constexpr std::uint64_t most_unpacked = std::uint64_t{4} << 30;  // bounds the work of a tiny file

using Archive = std::unique_ptr<archive, int (*)(archive*)>;

/// The next bytes of a file, unpacked; empty at its end.
using Blocks = std::function<std::span<const std::uint8_t>()>;

Archive new_archive() {
  Archive archive(archive_read_new(), archive_read_free);
  ENTRAIN_CHECK(archive);
  return archive;
}

[[noreturn]] void unreadable(const std::filesystem::path& path, const std::string& what,
                             archive* archive) {
  const char* why = archive_error_string(archive);
  cannot_read(path, fmt::format("{} ({})", what, why ? why : "no reason given"));
}

bool is_xz(const std::filesystem::path& path) {
  constexpr std::string_view magic{
      "\xFD"
      "7zXZ\0",
      6};
  std::array<char, magic.size()> head{};
  std::ifstream stream(path, std::ios::binary);
  return stream.read(head.data(), head.size()) &&
         std::string_view(head.data(), head.size()) == magic;
}

Blocks xz_blocks(const std::filesystem::path& path) {
  const std::shared_ptr<archive> xz = new_archive();
  archive_read_support_filter_xz(xz.get());
  archive_read_support_format_raw(xz.get());
  const std::string what = "the xz file is cut short or corrupt";
  archive_entry* entry = nullptr;
  if (archive_read_open_filename(xz.get(), path.c_str(), block_size) != ARCHIVE_OK ||
      archive_read_next_header(xz.get(), &entry) != ARCHIVE_OK)
    unreadable(path, what, xz.get());
  return [path, what, xz]() -> std::span<const std::uint8_t> {
    const void* data = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int result = archive_read_data_block(xz.get(), &data, &size, &offset);
    if (result == ARCHIVE_EOF) return {};
    if (result != ARCHIVE_OK) unreadable(path, what, xz.get());
    return {static_cast<const std::uint8_t*>(data), size};
  };
}

// libarchive reads gzip as well, but passes over its checksum; a Reader does not.
Blocks gzip_or_plain_blocks(const std::filesystem::path& path) {
  const auto reader = std::make_shared<Reader>(path, Checksum::none);
  return [reader, block = std::vector<std::uint8_t>(block_size)]() mutable {
    return std::span<const std::uint8_t>(block.data(), reader->read(block));
  };
}

}  // namespace

struct TarReader::State {
  std::filesystem::path path;
  Blocks blocks;
  std::uint64_t unpacked = 0;
  std::exception_ptr failure;  // what next_block threw through the C code of libarchive
  Archive tar = new_archive();
  archive_entry* entry = nullptr;

  explicit State(const std::filesystem::path& file)
      : path(file), blocks(is_xz(file) ? xz_blocks(file) : gzip_or_plain_blocks(file)) {}

  std::span<const std::uint8_t> next_block() {
    const auto block = blocks();
    unpacked += block.size();
    if (unpacked > most_unpacked)
      throw DataError(
          fmt::format("{}: unpacks to more than {} bytes", path.string(), most_unpacked));
    return block;
  }

  static la_ssize_t read_block(archive*, void* state, const void** block) {
    State& self = *static_cast<State*>(state);
    try {
      const auto bytes = self.next_block();
      *block = bytes.data();
      return static_cast<la_ssize_t>(bytes.size());
    } catch (...) {
      self.failure = std::current_exception();
      return ARCHIVE_FATAL;
    }
  }

  /// Throws if a call of libarchive failed.
  void check(la_ssize_t result) {
    if (failure) std::rethrow_exception(failure);
    if (result < 0) unreadable(path, "the tar archive is cut short, corrupt or none", tar.get());
  }
};

TarReader::TarReader(const std::filesystem::path& path) : state_(new State(path)) {
  archive* tar = state_->tar.get();
  archive_read_support_format_tar(tar);
  state_->check(archive_read_open(tar, state_.get(), nullptr, State::read_block, nullptr));
}

TarReader::~TarReader() = default;

std::optional<std::string> TarReader::next() {
  for (;;) {
    const int result = archive_read_next_header(state_->tar.get(), &state_->entry);
    // A warning comes with a file: its name is in another alphabet, say.
    state_->check(result == ARCHIVE_WARN ? ARCHIVE_OK : result);
    if (result == ARCHIVE_EOF) break;
    if (archive_entry_filetype(state_->entry) != AE_IFREG || archive_entry_hardlink(state_->entry))
      continue;
    const char* name = archive_entry_pathname(state_->entry);
    if (!name) name = archive_entry_pathname_utf8(state_->entry);
    if (name) return std::filesystem::path(name).filename().string();
  }
  while (!state_->next_block().empty()) {
  }
  return std::nullopt;
}

std::uint64_t TarReader::size() const {
  return static_cast<std::uint64_t>(archive_entry_size(state_->entry));
}

std::size_t TarReader::read(std::span<std::uint8_t> to) {
  const la_ssize_t got = archive_read_data(state_->tar.get(), to.data(), to.size());
  state_->check(got);
  return static_cast<std::size_t>(got);
}

}  // namespace entrain
