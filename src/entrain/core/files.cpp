#include "entrain/core/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

[[noreturn]] void cannot(const char* what, const std::filesystem::path& path) {
  throw RunError(fmt::format("cannot {} '{}': {}", what, path.string(), std::strerror(errno)));
}

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(file, content.data(), content.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

void write_whole(const std::filesystem::path& path, std::string_view content) {
  const std::filesystem::path temporary = path.string() + fmt::format(".part{}", getpid());
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) cannot("write", path);
  const bool written = write_all(file, content) && fsync(file) == 0;
  const int reason = errno;
  close(file);
  if (!written || rename(temporary.c_str(), path.c_str()) != 0) {
    if (!written) errno = reason;
    const int why = errno;
    unlink(temporary.c_str());
    errno = why;
    cannot("write", path);
  }
}

std::string read_whole(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  if (!file) cannot("read", path);
  std::string content;
  char block[1 << 16];
  while (const std::size_t size = std::fread(block, 1, sizeof block, file.get())) {
    content.append(block, size);
  }
  if (std::ferror(file.get())) cannot("read", path);
  return content;
}

LineFile::LineFile(std::filesystem::path path)
    : path_(std::move(path)), file_(std::fopen(path_.c_str(), "ae"), std::fclose) {
  if (!file_) cannot("write", path_);
  std::fseek(file_.get(), 0, SEEK_END);
  size_ = std::ftell(file_.get());
}

void LineFile::append(std::string_view line) {
  const std::string whole = std::string(line) + '\n';
  if (!write_all(fileno(file_.get()), whole)) {
    const int why = errno;
    [[maybe_unused]] const int cut = ftruncate(fileno(file_.get()), size_);
    errno = why;
    cannot("write", path_);
  }
  size_ += static_cast<long>(whole.size());
}

}  // namespace entrain
