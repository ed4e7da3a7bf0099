#include "entrain/data/reader.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "entrain/core/errors.h"
#include "entrain/data/sha256.h"

namespace entrain {
namespace {

constexpr std::size_t piece = 256 * 1024;  // read, then hash while it is in the cache

}  // namespace

void cannot_read(const std::filesystem::path& path, const std::string& why) {
  throw DataError(fmt::format("{}: cannot be read: {}", path.string(), why));
}

struct Reader::State {
  gzFile file = nullptr;
  std::optional<Sha256> digest;

  ~State() {
    if (file) gzclose_r(file);
  }
};

std::optional<std::filesystem::path> plain_or_gz(const std::filesystem::path& folder,
                                                 const std::string& name) {
  std::error_code ignored;
  for (const std::string& file : {name, name + ".gz"})
    if (std::filesystem::is_regular_file(folder / file, ignored)) return folder / file;
  return std::nullopt;
}

Reader::Reader(const std::filesystem::path& path, Checksum checksum)
    : path_(path), state_(new State) {
  errno = 0;
  state_->file = gzopen(path.c_str(), "rb");
  if (!state_->file) cannot_read(path, std::generic_category().message(errno ? errno : ENOMEM));
  gzbuffer(state_->file, piece);
  if (checksum == Checksum::sha256) state_->digest.emplace();
}

Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;

std::size_t Reader::read(std::span<std::uint8_t> to) {
  std::size_t done = 0;
  while (done < to.size()) {
    const std::size_t wanted = std::min(piece, to.size() - done);
    const int got = gzread(state_->file, to.data() + done, static_cast<unsigned>(wanted));
    if (got > 0 && state_->digest)
      state_->digest->add(to.subspan(done, static_cast<std::size_t>(got)));
    if (got == static_cast<int>(wanted)) {
      done += wanted;
      continue;
    }
    // A gzip file that is cut short gives all it has and no error but this one.
    int error = Z_OK;
    const char* message = gzerror(state_->file, &error);
    if (error == Z_BUF_ERROR) cannot_read(path_, "the gzip file is cut short");
    if (error == Z_ERRNO) cannot_read(path_, std::generic_category().message(errno));
    if (got < 0) cannot_read(path_, fmt::format("the gzip file is corrupt ({})", message));
    return done + static_cast<std::size_t>(got);
  }
  return done;
}

std::string Reader::sha256() {
  ENTRAIN_CHECK(state_->digest);
  return state_->digest->hex();
}

}  // namespace entrain
