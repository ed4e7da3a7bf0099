#include "entrain/comm/relay.h"

#include <unistd.h>

#include <cerrno>

namespace entrain {
namespace {

constexpr std::size_t kLongestLine = 1 << 20;
constexpr std::size_t kLastLines = 5;

}  // namespace

void Relay::pump() {
  char block[1 << 14];
  const ssize_t size = read(from_, block, sizeof block);
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (size > 0) {
    held_.append(block, static_cast<std::size_t>(size));
    if (held_.size() > kLongestLine && held_.find('\n') == held_.npos) held_ += '\n';
    pass(held_.rfind('\n') + 1);
    return;
  }
  if (!held_.empty()) held_ += '\n';
  pass(held_.size());
  close(from_);
  from_ = -1;
}

void Relay::pass(std::size_t size) {
  std::string out;
  for (std::size_t begin = 0; begin < size;) {
    const std::size_t end = held_.find('\n', begin) + 1;
    const std::string line = held_.substr(begin, end - begin - 1);
    begin = end;
    if (taker_ && taker_(line)) continue;
    out += prefix_ + line + '\n';
    last_.push_back(line);
    if (last_.size() > kLastLines) last_.pop_front();
  }
  held_.erase(0, size);
  for (std::size_t sent = 0; sent < out.size();) {
    const ssize_t written = write(to_, out.data() + sent, out.size() - sent);
    if (written < 0 && errno != EINTR) return;  // nobody reads our output any more
    if (written > 0) sent += static_cast<std::size_t>(written);
  }
}

}  // namespace entrain
