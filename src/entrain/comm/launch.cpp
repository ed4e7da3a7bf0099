#include "entrain/comm/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>

#include "entrain/comm/store.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"

namespace entrain {
namespace {

constexpr auto kGrace = std::chrono::seconds(5);

// One stream of a child, passed on line by line.
class Relay {
 public:
  Relay(int from, int to, std::string prefix) : from_(from), to_(to), prefix_(std::move(prefix)) {}

  int descriptor() const { return from_; }

  // Passes on what is there; closes at the end of the stream.
  void pump() {
    char block[1 << 14];
    const ssize_t size = read(from_, block, sizeof block);
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (size > 0) {
      held_.append(block, static_cast<std::size_t>(size));
      pass(held_.rfind('\n') + 1);
      return;
    }
    if (!held_.empty()) held_ += '\n';
    pass(held_.size());
    close(from_);
    from_ = -1;
  }

 private:
  void pass(std::size_t size) {
    std::string out;
    for (std::size_t begin = 0; begin < size;) {
      const std::size_t end = held_.find('\n', begin) + 1;
      out += prefix_ + held_.substr(begin, end - begin);
      begin = end;
    }
    held_.erase(0, size);
    for (std::size_t sent = 0; sent < out.size();) {
      const ssize_t written = write(to_, out.data() + sent, out.size() - sent);
      if (written < 0 && errno != EINTR) return;  // nobody reads our output any more
      if (written > 0) sent += static_cast<std::size_t>(written);
    }
  }

  int from_, to_;
  std::string prefix_, held_;
};

struct Child {
  int rank;
  pid_t pid;
  bool running = true;
};

std::vector<std::string> child_environment(int rank, int size, std::uint16_t port) {
  auto variables = environment();
  variables["RANK"] = variables["LOCAL_RANK"] = std::to_string(rank);
  variables["WORLD_SIZE"] = variables["LOCAL_WORLD_SIZE"] = std::to_string(size);
  variables["MASTER_ADDR"] = "127.0.0.1";
  variables["MASTER_PORT"] = std::to_string(port);
  variables["TORCHELASTIC_USE_AGENT_STORE"] = "True";  // the store is the launcher's
  variables["ENTRAIN_LAUNCH"] = std::to_string(getpid());
  std::vector<std::string> entries;
  for (const auto& [name, value] : variables) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

class Launcher {
 public:
  explicit Launcher(const LaunchOptions& options) : options_(options), store_(Store::host(0)) {}

  int run() {
    for (int rank = 0; rank < options_.processes; ++rank) start(rank);
    while (running() > 0 || open_streams() > 0) {
      pass_signals();
      pump();
      reap();
    }
    if (interrupted()) return 130;
    return failure_;
  }

 private:
  void start(int rank);
  void pump();
  void reap();
  void pass_signals();
  void report(const Child& child, int status);
  void signal_all(int signal);
  std::size_t open_streams() const { return relays_.size(); }
  int running() const {
    return static_cast<int>(std::count_if(children_.begin(), children_.end(),
                                          [](const Child& c) { return c.running; }));
  }

  const LaunchOptions& options_;
  Store store_;
  std::vector<Child> children_;
  std::vector<Relay> relays_;
  int failure_ = 0;
  bool interrupt_passed_ = false;
  std::optional<std::chrono::steady_clock::time_point> kill_at_;
};

void Launcher::start(int rank) {
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) {
    throw RunError(fmt::format("cannot start rank {}: {}", rank, std::strerror(errno)));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
  // A group of its own, so that Ctrl-C on the terminal reaches it once: through us.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> arguments = {options_.program};
  arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
  std::vector<std::string> variables = child_environment(rank, options_.processes, store_.port());
  pid_t pid = 0;
  const int error = posix_spawn(&pid, options_.program.c_str(), &actions, &attributes,
                                pointers(arguments).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(out[1]);
  close(err[1]);
  if (error != 0) {
    signal_all(SIGKILL);
    throw RunError(
        fmt::format("cannot start rank {} ({}): {}", rank, options_.program, std::strerror(error)));
  }
  children_.push_back({rank, pid});
  const std::string prefix = fmt::format("[{}] ", rank);
  relays_.emplace_back(out[0], STDOUT_FILENO, rank == 0 ? "" : prefix);
  relays_.emplace_back(err[0], STDERR_FILENO, prefix);
}

void Launcher::pump() {
  std::vector<pollfd> streams;
  for (const Relay& relay : relays_) streams.push_back({relay.descriptor(), POLLIN, 0});
  if (poll(streams.data(), streams.size(), 50) > 0) {
    for (std::size_t i = 0; i < streams.size(); ++i) {
      if (streams[i].revents != 0) relays_[i].pump();
    }
  }
  std::erase_if(relays_, [](const Relay& relay) { return relay.descriptor() < 0; });
}

void Launcher::reap() {
  for (Child& child : children_) {
    int status = 0;
    if (!child.running || waitpid(child.pid, &status, WNOHANG) != child.pid) continue;
    child.running = false;
    if (status != 0) report(child, status);
  }
  if (kill_at_ && std::chrono::steady_clock::now() > *kill_at_) signal_all(SIGKILL);
}

// The first failure is the cause; what follows is its consequence.
void Launcher::report(const Child& child, int status) {
  if (failure_ != 0 || interrupted()) return;
  failure_ = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  const std::string how = WIFEXITED(status) ? fmt::format("exit code {}", WEXITSTATUS(status))
                                            : fmt::format("signal {} ({})", WTERMSIG(status),
                                                          strsignal(WTERMSIG(status)));
  fmt::print(stderr, "entrain launch: rank {} ended first, with {}; ending the others\n",
             child.rank, how);
  signal_all(SIGTERM);
  kill_at_ = std::chrono::steady_clock::now() + kGrace;
}

void Launcher::pass_signals() {
  if (!interrupted() || interrupt_passed_) return;
  interrupt_passed_ = true;
  signal_all(SIGINT);
}

void Launcher::signal_all(int signal) {
  for (const Child& child : children_) {
    if (child.running) kill(-child.pid, signal);
  }
}

}  // namespace

int launch(const LaunchOptions& options) {
  if (options.processes < 1) {
    throw UsageError(fmt::format("launch -n {}: at least 1 process", options.processes));
  }
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads our output may go
  return Launcher(options).run();
}

void end_with_launcher() {
  const auto variables = environment();
  const auto launcher = variables.find("ENTRAIN_LAUNCH");
  if (launcher == variables.end()) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (std::to_string(getppid()) != launcher->second) std::_Exit(1);
}

}  // namespace entrain
