#include "entrain/data/file_text.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include "entrain/core/errors.h"
#include "entrain/data/reader.h"

namespace entrain {
namespace {

constexpr std::size_t unpacked_piece = 1 << 20;
constexpr std::size_t most_unpacked_text = std::size_t{4} << 30;  // bounds what a tiny file can ask

[[noreturn]] void system_refused(const std::filesystem::path& path) {
  cannot_read(path, std::generic_category().message(errno));
}

/// An open file and its size in bytes.
class OpenFile {
 public:
  explicit OpenFile(const std::filesystem::path& path)
      // Not to wait for whoever writes into a pipe of that name.
      : descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (descriptor_ < 0) system_refused(path);
    struct stat status {};
    const bool known = fstat(descriptor_, &status) == 0;
    if (known && S_ISREG(status.st_mode)) {
      size_ = static_cast<std::size_t>(status.st_size);
      return;
    }
    close(descriptor_);
    cannot_read(path, "it is no regular file");
  }
  ~OpenFile() { close(descriptor_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int descriptor() const { return descriptor_; }
  std::size_t size() const { return size_; }

 private:
  int descriptor_;
  std::size_t size_ = 0;
};

}  // namespace

FileText::FileText(const std::filesystem::path& path) {
  using namespace std::string_view_literals;
  map(path);
  if (view().starts_with("\x1F\x8B"sv)) {
    unpack(path);
  } else if (view().starts_with("BZh"sv)) {
    cannot_read(path, "it is packed with bzip2; unpack it with bunzip2");
  } else if (view().starts_with("\xFD"
                                "7zXZ"sv)) {
    cannot_read(path, "it is packed with xz; unpack it with unxz");
  }
}

void FileText::map(const std::filesystem::path& path) {
  const OpenFile file(path);
  size_ = file.size();
  if (size_ == 0) return;
  void* start = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
  if (start == MAP_FAILED) system_refused(path);
  content_ = {static_cast<const char*>(start),
              [size = size_](const char* mapped) { munmap(const_cast<char*>(mapped), size); }};
}

void FileText::unpack(const std::filesystem::path& path) {
  Reader reader(path, Checksum::none);
  std::vector<std::uint8_t> piece(unpacked_piece);
  const auto text = std::make_shared<std::string>();
  for (std::size_t got = piece.size(); got == piece.size();) {
    got = reader.read(piece);
    text->append(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(got));
    if (text->size() > most_unpacked_text)
      cannot_read(path,
                  fmt::format("it unpacks to more than {} bytes; unpack it with gunzip, a plain "
                              "file may be larger",
                              most_unpacked_text));
  }
  content_ = {text, text->data()};
  size_ = text->size();
}

}  // namespace entrain
