#include "entrain/comm/launched_rank.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

constexpr int kOfSsh = 255;  // what ssh exits with where it could not do its own work

std::string signal_name(int signal) {
  return fmt::format("signal {} ({})", signal, strsignal(signal));
}

std::string prefix_of(const Seat& seat, bool prefixed) {
  return prefixed ? fmt::format("[{}] ", seat.rank) : "";
}

}  // namespace

LaunchedRank::LaunchedRank(const Seat& seat, const Command& command, Reach reach, bool prefixed)
    : seat_(seat), guarded_(reach == Reach::guarded), out_(-1, -1, ""), err_(-1, -1, "") {
  const Pipe in, out, err;
  try {
    pid_ = spawn(command, {guarded_ ? in.read_end : -1, out.write_end, err.write_end});
  } catch (const RunError& error) {
    throw RunError(fmt::format("rank {}: {}", seat.rank, error.what()));
  }
  for (const int end : {in.read_end, out.write_end, err.write_end}) close(end);
  if (guarded_) {
    in_ = in.write_end;
    fcntl(in_, F_SETFL, O_NONBLOCK);
  } else {
    close(in.write_end);
  }
  out_ = Relay(out.read_end, STDOUT_FILENO, prefix_of(seat, prefixed && seat.rank > 0));
  err_ = Relay(err.read_end, STDERR_FILENO, prefix_of(seat, prefixed));
}

LaunchedRank::~LaunchedRank() {
  if (!running_) return;
  hang_up();
  cut();
  waitpid(pid_, nullptr, 0);
}

void LaunchedRank::give(const Order& order) {
  ordered_ = true;
  unsent_ = print(order);
  flush();
}

void LaunchedRank::release_store() {
  if (released_ || !ordered_) return;
  released_ = true;
  unsent_ += '\0';
}

void LaunchedRank::send(int signal) {
  if (!running_) return;
  if (!guarded()) {
    kill(-pid_, signal);
  } else if (ordered_) {
    unsent_ += static_cast<char>(signal);
    flush();
  } else {
    cut();
  }
}

void LaunchedRank::cut() {
  if (running_) kill(-pid_, SIGKILL);
}

void LaunchedRank::flush() {
  while (running_ && !unsent_.empty()) {
    const ssize_t written = write(in_, unsent_.data(), unsent_.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // later, or never: then its end says so
    unsent_.erase(0, static_cast<std::size_t>(written));
  }
}

bool LaunchedRank::ends() {
  if (!running_ || waitpid(pid_, &status_, WNOHANG) != pid_) return false;
  running_ = false;
  hang_up();
  return true;
}

void LaunchedRank::leave() {
  running_ = false;
  hang_up();
}

void LaunchedRank::hang_up() {
  if (in_ >= 0) close(in_);
  in_ = -1;
}

bool LaunchedRank::lost_a_peer() const {
  return WIFEXITED(status_) && WEXITSTATUS(status_) == static_cast<int>(Failure::communication);
}

int LaunchedRank::exit_code() const {
  if (!WIFEXITED(status_)) return static_cast<int>(Failure::failed);
  const int code = WEXITSTATUS(status_);
  if (guarded() && code == kOfSsh) return static_cast<int>(Failure::communication);
  return guarded() && code > 128 ? static_cast<int>(Failure::failed) : code;
}

std::string LaunchedRank::how_it_ended() const {
  if (!WIFEXITED(status_)) return signal_name(WTERMSIG(status_));
  const int code = WEXITSTATUS(status_);
  if (guarded() && code == kOfSsh) return "exit code 255, of ssh: no connection, or a lost one";
  if (guarded() && code > 128)
    return fmt::format("exit code {}, {}", code, signal_name(code - 128));
  return fmt::format("exit code {}", code);
}

}  // namespace entrain
