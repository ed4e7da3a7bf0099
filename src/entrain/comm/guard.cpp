#include "entrain/comm/guard.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "entrain/comm/address.h"
#include "entrain/comm/order.h"
#include "entrain/comm/spawn.h"
#include "entrain/comm/store.h"
#include "entrain/comm/variables.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"

namespace entrain {
namespace {

const std::string kStoreLine = "entrain guard: store at port ";

std::string read_input(std::size_t size) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = read(STDIN_FILENO, text.data() + have, size - have);
    if (got < 0 && errno == EINTR && !interrupted()) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

class Guard {
 public:
  int run() {
    Order order = read_order(read_input);
    require_known_here(text_of(order.variables, "MASTER_ADDR"));
    if (order.store_port) host_store(order);
    auto variables = environment();
    for (const auto& [name, value] : order.variables) variables[name] = value;
    pid_ = spawn({order.words, std::move(variables), order.directory}, {});
    while (!ended() || (status_ == 0 && keeps_store_)) {
      take_signals();
      if (interrupted()) end();
      if (kill_at_ && std::chrono::steady_clock::now() > *kill_at_) pass(SIGKILL);
    }
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  }

 private:
  void host_store(Order& order) {
    store_ = Store::host(static_cast<std::uint16_t>(*order.store_port));
    keeps_store_ = true;
    order.variables["MASTER_PORT"] = std::to_string(store_->port());
    fmt::print("{}{}\n", kStoreLine, store_->port());
    std::fflush(stdout);
  }

  bool ended() {
    ended_ = ended_ || waitpid(pid_, &status_, WNOHANG) == pid_;
    return ended_;
  }

  void take_signals() {
    pollfd input = {input_open_ ? STDIN_FILENO : -1, POLLIN, 0};
    if (poll(&input, 1, 20) <= 0) return;
    char bytes[64];
    const ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) return;
    for (ssize_t i = 0; i < got; ++i) obey(bytes[i]);
    if (got > 0) return;
    input_open_ = false;
    end();
  }

  void obey(char byte) {
    if (byte == 0) keeps_store_ = false;
    if (byte == SIGINT || byte == SIGTERM || byte == SIGKILL) pass(byte);
  }

  // Nobody is left who waits for the rank.
  void end() {
    keeps_store_ = false;
    if (kill_at_) return;
    kill_at_ = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    pass(SIGTERM);
  }

  void pass(int signal) {
    if (!ended_) kill(-pid_, signal);
  }

  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false, input_open_ = true, keeps_store_ = false;
  std::optional<Store> store_;
  std::optional<std::chrono::steady_clock::time_point> kill_at_;
};

}  // namespace

int guard() { return Guard().run(); }

std::optional<int> store_port_in(const std::string& line) {
  if (!line.starts_with(kStoreLine)) return std::nullopt;
  const char* const end = line.data() + line.size();
  int port = 0;
  const auto [parsed, error] = std::from_chars(line.data() + kStoreLine.size(), end, port);
  if (error != std::errc() || parsed != end || port < 1 || port > 65535) return std::nullopt;
  return port;
}

}  // namespace entrain
