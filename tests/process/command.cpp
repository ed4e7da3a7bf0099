#include "process/command.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <utility>

namespace entrain {
namespace {

namespace fs = std::filesystem;

// What would place a run among others, or change its settings.
bool is_ours(const std::string& entry) {
  for (const char* start :
       {"RANK=", "WORLD_SIZE=", "LOCAL_RANK=", "LOCAL_WORLD_SIZE=", "MASTER_", "TORCHELASTIC_",
        "ENTRAIN_", "OMPI_", "PMI_", "PMIX_", "MPI_LOCAL", "SLURM_", "GLOO_SOCKET_IFNAME="}) {
    if (entry.starts_with(start)) return true;
  }
  return false;
}

Words environment_with(const Variables& variables) {
  Words entries;
  for (char** entry = environ; *entry; ++entry) {
    if (!is_ours(*entry)) entries.push_back(*entry);
  }
  for (const auto& [name, value] : variables) entries.push_back(name + "=" + value);
  return entries;
}

std::vector<char*> pointers(Words& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

// Between fork() and exec(): only what is safe there. Dies with the test.
[[noreturn]] void become(char* const* words, char* const* variables, const char* folder,
                         const char* out, const char* err) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int flags = O_WRONLY | O_CREAT | O_TRUNC;
  const bool ready = chdir(folder) == 0 && dup2(open("/dev/null", O_RDONLY), 0) == 0 &&
                     dup2(open(out, flags, 0644), 1) == 1 && dup2(open(err, flags, 0644), 2) == 2;
  if (ready) execve(words[0], words, variables);
  _exit(127);
}

// What /proc says of a process; empty if it is no more.
std::string proc_content(pid_t pid, const char* name) {
  const fs::path path = fs::path("/proc") / std::to_string(pid) / name;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  std::string content;
  char block[4096];
  while (const std::size_t size = file ? std::fread(block, 1, sizeof block, file.get()) : 0) {
    content.append(block, size);
  }
  return content;
}

pid_t number(const std::string& text) {
  pid_t pid = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
  return error == std::errc() && end == text.data() + text.size() ? pid : -1;
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Outcome& outcome) {
  stream << outcome.command << "\nended with ";
  if (outcome.signal) {
    stream << "signal " << outcome.signal;
  } else {
    stream << "exit code " << outcome.code;
  }
  return stream << " after " << outcome.seconds << " s\nstdout: " << outcome.out
                << "\nstderr: " << outcome.err;
}

Running::Running(const Words& words, const Variables& variables, const fs::path& folder,
                 const fs::path& logs, int id, double deadline)
    : out_(logs / (std::to_string(id) + ".out")),
      err_(logs / (std::to_string(id) + ".err")),
      deadline_(deadline) {
  for (const auto& [name, value] : variables) command_ += name + "=" + value + " ";
  const bool own_program = !words.empty() && words.front().find('/') != std::string::npos;
  Words line = own_program ? words : join({std::getenv("ENTRAIN_BINARY")}, words);
  for (const std::string& word : line) command_ += word + " ";
  Words entries = environment_with(variables);
  const std::vector<char*> arguments = pointers(line), environment = pointers(entries);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("cannot fork");
  if (pid_ == 0) {
    become(arguments.data(), environment.data(), folder.c_str(), out_.c_str(), err_.c_str());
  }
  setpgid(pid_, pid_);  // whoever of the two comes first
}

Running::Running(Running&& other) noexcept
    : command_(std::move(other.command_)),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)),
      pid_(other.pid_),
      status_(other.status_),
      reaped_(std::exchange(other.reaped_, true)),
      deadline_(other.deadline_),
      started_(other.started_),
      ended_(other.ended_) {}

Running::~Running() {
  if (ended()) return;
  send_group(SIGKILL);
  waitpid(pid_, &status_, 0);
}

bool Running::ended() {
  if (!reaped_ && waitpid(pid_, &status_, WNOHANG) == pid_) {
    reaped_ = true;
    ended_ = Clock::now();
  }
  return reaped_;
}

bool Running::catches_interrupts() const {
  const std::string status = proc_content(pid_, "status");
  const std::size_t at = status.find("SigCgt:\t");
  if (at == std::string::npos) return false;
  return std::stoull(status.substr(at + 8, 16), nullptr, 16) >> (SIGINT - 1) & 1;
}

void Running::send(int signal) const { kill(pid_, signal); }
void Running::send_group(int signal) const { kill(-pid_, signal); }

std::string Running::err() const { return file_content(err_); }

Outcome Running::wait() {
  if (!wait_until([this] { return ended(); }, deadline_)) {
    send_group(SIGKILL);
    waitpid(pid_, &status_, 0);
    reaped_ = true;
    ended_ = Clock::now();
    ADD_FAILURE() << "killed, for it outlived its deadline of " << deadline_ << " s: " << command_;
  }
  Outcome outcome;
  outcome.command = command_;
  if (WIFEXITED(status_)) outcome.code = WEXITSTATUS(status_);
  if (WIFSIGNALED(status_)) outcome.signal = WTERMSIG(status_);
  outcome.out = file_content(out_);
  outcome.err = file_content(err_);
  outcome.seconds = std::chrono::duration<double>(ended_ - started_).count();
  return outcome;
}

void ProcessTest::SetUp() {
  const char* binary = std::getenv("ENTRAIN_BINARY");
  ASSERT_TRUE(binary && access(binary, X_OK) == 0) << "ENTRAIN_BINARY must be the binary's path";
}

Running ProcessTest::start(const Words& words, const Variables& variables, double deadline) {
  return Running(words, variables, folder(), logs_.path(), started_++, deadline);
}

Outcome ProcessTest::run(const Words& words, const Variables& variables, double deadline) {
  return start(words, variables, deadline).wait();
}

std::vector<Outcome> ProcessTest::run_all(const std::vector<Words>& commands) {
  constexpr std::size_t at_a_time = 2;
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < commands.size(); i += at_a_time) {
    std::vector<Running> running;
    for (std::size_t j = i; j < std::min(i + at_a_time, commands.size()); ++j) {
      running.push_back(start(commands[j]));
    }
    for (Outcome& outcome : wait_all(running)) outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

std::vector<Running> ProcessTest::start_ranks(const std::vector<int>& ranks, int size, int port,
                                              const Words& words) {
  std::vector<Running> running;
  for (const int rank : ranks) {
    running.push_back(start(join({"train"}, words), rank_variables(rank, size, port)));
  }
  return running;
}

std::vector<Outcome> wait_all(std::vector<Running>& running) {
  std::vector<Outcome> outcomes;
  wait_until([&] {
    bool all = true;
    for (Running& one : running) all = one.ended() && all;
    return all;
  });
  for (Running& one : running) outcomes.push_back(one.wait());
  return outcomes;
}

Variables rank_variables(int rank, int size, int port) {
  return {{"RANK", std::to_string(rank)},
          {"WORLD_SIZE", std::to_string(size)},
          {"LOCAL_RANK", std::to_string(rank)},
          {"MASTER_ADDR", "127.0.0.1"},
          {"MASTER_PORT", std::to_string(port)}};
}

std::string program_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string program = (fs::path(folder) / name).string();
    if (access(program.c_str(), X_OK) == 0) return program;
  }
  return "";
}

std::string hash_of_run(const fs::path& folder) {
  const auto summary = nlohmann::json::parse(file_content(folder / "summary.json"), nullptr, false);
  return summary.is_object() ? summary.value("parameters_hash", "") : "";
}

int free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(probe, any, size) == 0 && getsockname(probe, any, &size) == 0;
  close(probe);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

Words join(Words first, const Words& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

bool wait_until(const std::function<bool()>& condition, double seconds) {
  const auto end = Running::Clock::now() + std::chrono::duration<double>(seconds);
  while (!condition()) {
    if (Running::Clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

bool has_landed(const fs::path& folder) {
  return file_content(folder / "metrics.jsonl").find("\"kind\":\"round\"") != std::string::npos;
}

std::vector<pid_t> processes_with(const std::string& text) {
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const pid_t pid = number(entry.path().filename());
    if (pid < 0 || pid == getpid() || getsid(pid) != getsid(0)) continue;  // ours keep our session
    if (proc_content(pid, "cmdline").find(text) != std::string::npos) found.push_back(pid);
  }
  return found;
}

pid_t process_of_rank(const std::string& text, int rank, const std::string& variable) {
  const std::string wanted = std::string(1, '\0') + variable + "=" + std::to_string(rank) + '\0';
  for (const pid_t pid : processes_with(text)) {
    const std::string variables = std::string(1, '\0') + proc_content(pid, "environ");
    if (variables.find(wanted) != std::string::npos) return pid;
  }
  return -1;
}

void expect_exit(const Outcome& outcome, int code, const Words& parts) {
  EXPECT_EQ(outcome.code, code) << outcome;
  for (const std::string& part : parts) {
    EXPECT_NE(outcome.err.find(part), std::string::npos) << "no '" << part << "' in\n" << outcome;
  }
}

void expect_whole_files(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    EXPECT_EQ(name.find(".part"), std::string::npos) << entry.path();
    if (entry.path().extension() == ".json") {
      EXPECT_TRUE(nlohmann::json::accept(file_content(entry.path()))) << entry.path();
    }
    if (name != "metrics.jsonl") continue;
    const std::string lines = file_content(entry.path());
    EXPECT_TRUE(lines.empty() || lines.ends_with('\n')) << entry.path();
    for (std::size_t begin = 0, end; (end = lines.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      EXPECT_TRUE(nlohmann::json::accept(lines.substr(begin, end - begin))) << entry.path();
    }
  }
}

}  // namespace entrain
