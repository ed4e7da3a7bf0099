#include "entrain/comm/spawn.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::vector<std::string> entries_of(const std::map<std::string, std::string>& variables) {
  std::vector<std::string> entries;
  for (const auto& [name, value] : variables) entries.push_back(name + "=" + value);
  return entries;
}

// After fork() in a process with threads: only what a signal handler may do.
class Start {
 public:
  Start(const Command& command, const Streams& streams)
      : words_(command.words),
        entries_(entries_of(command.variables)),
        directory_(command.directory),
        streams_(streams) {}

  pid_t run() {
    pid_t pid = fork();
    if (pid == 0) become();
    const int fork_error = pid < 0 ? errno : 0;
    close(failed_.write_end);
    int error = fork_error;
    const ssize_t size = fork_error ? 0 : read(failed_.read_end, &error, sizeof error);
    close(failed_.read_end);
    if (!fork_error && size <= 0) return pid;  // the end of that pipe closed with exec
    if (pid > 0) waitpid(pid, nullptr, 0);
    throw RunError(fmt::format("cannot start {}{}: {}", words_.front(),
                               directory_.empty() ? "" : " in " + directory_,
                               std::strerror(error)));
  }

 private:
  [[noreturn]] void become() {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent_) _exit(1);  // it was gone before it could be watched
    for (const int signal : {SIGINT, SIGTERM, SIGPIPE}) std::signal(signal, SIG_DFL);
    const int in = streams_.in < 0 ? open("/dev/null", O_RDONLY) : streams_.in;
    dup2(in, STDIN_FILENO);
    if (streams_.out >= 0) dup2(streams_.out, STDOUT_FILENO);
    if (streams_.err >= 0) dup2(streams_.err, STDERR_FILENO);
    if (directory_.empty() || chdir(directory_.c_str()) == 0) {
      execvpe(arguments_.front(), arguments_.data(), variables_.data());
    }
    const int error = errno;
    const ssize_t written = write(failed_.write_end, &error, sizeof error);
    _exit(written == sizeof error ? 127 : 126);
  }

  std::vector<std::string> words_, entries_;
  std::vector<char*> arguments_ = pointers(words_), variables_ = pointers(entries_);
  std::string directory_;
  Streams streams_;
  pid_t parent_ = getpid();
  Pipe failed_;
};

}  // namespace

Pipe::Pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    throw RunError(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
  }
  read_end = ends[0];
  write_end = ends[1];
}

pid_t spawn(const Command& command, const Streams& streams) {
  return Start(command, streams).run();
}

}  // namespace entrain
