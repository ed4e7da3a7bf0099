#include "bench/peer.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <sstream>

#include "bench/ddp_script.h"
#include "entrain/comm/address.h"
#include "entrain/comm/spawn.h"
#include "entrain/core/environment.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"
#include "entrain/core/text.h"

namespace entrain {
namespace {

constexpr const char* kDebianPython = "/usr/bin/python3";

std::uint16_t free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in own = {};
  own.sin_family = AF_INET;
  socklen_t length = sizeof own;
  const bool found = bind(probe, reinterpret_cast<sockaddr*>(&own), sizeof own) == 0 &&
                     getsockname(probe, reinterpret_cast<sockaddr*>(&own), &length) == 0;
  close(probe);
  if (!found) throw RunError(fmt::format("no free port: {}", std::strerror(errno)));
  return ntohs(own.sin_port);
}

bool has_torch(const std::string& python) {
  const std::string command = fmt::format("'{}' -c 'import torch' >/dev/null 2>&1", python);
  return std::system(command.c_str()) == 0;
}

Command command_of(const PeerOptions& options, const Place& place, const std::string& meeting) {
  const std::size_t space = meeting.find(' ');
  Command command = {
      .words = {options.python, "-W", "ignore", "-c", kDdpScript, std::to_string(place.rank),
                std::to_string(place.size), meeting.substr(0, space), meeting.substr(space + 1),
                std::to_string(options.threads), std::to_string(options.batch)},
      .variables = environment(),
      .directory = {}};
  std::erase_if(command.variables, [](const auto& one) {
    return one.first.starts_with(
        "TORCHELASTIC_");  // or it would look for the store of our launcher
  });
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}) {
    command.variables[name] = std::to_string(options.threads);
  }
  // PyTorch looks its interface up by the name of the host, which may lead to another one.
  const std::string interface = interface_with(own_address_towards(place, ""));
  if (!interface.empty()) command.variables.try_emplace("GLOO_SOCKET_IFNAME", interface);
  return command;
}

}  // namespace

std::unique_ptr<Peer> Peer::start(const PeerOptions& options, const Place& place,
                                  Communicator& comm) {
  if (options.python == "none" || place.size == 1) return nullptr;
  PeerOptions chosen = options;
  if (options.python == "auto") chosen.python = kDebianPython;
  const std::string meeting =
      place.rank == 0 ? fmt::format("{} {}", own_address_towards(place, ""), free_port()) : "";
  const std::vector<std::string> answers =
      comm.gather(has_torch(chosen.python) ? "torch " + meeting : "");
  const auto lacking = std::ranges::find(answers, std::string());
  if (lacking == answers.end()) {
    return std::unique_ptr<Peer>(new Peer(chosen, place, answers[0].substr(6)));
  }
  if (options.python == "auto") return nullptr;
  throw RunError(
      fmt::format("--peer {}: on the host of rank {} it has no torch; name a Python "
                  "that imports it, or none",
                  options.python, lacking - answers.begin()));
}

Peer::Peer(const PeerOptions& options, const Place& place, const std::string& meeting)
    : in_(nullptr, std::fclose), out_(nullptr, std::fclose) {
  const Pipe questions, answers;
  pid_ = spawn(command_of(options, place, meeting),
               {.in = questions.read_end, .out = answers.write_end});
  close(questions.read_end);
  close(answers.write_end);
  out_.reset(fdopen(questions.write_end, "w"));
  in_.reset(fdopen(answers.read_end, "r"));
  if (read_line() != "ready") throw RunError("the PyTorch process did not start; see its output");
}

Peer::~Peer() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

// It answers in whole lines, one at a time, so that nothing is left in the buffer.
std::optional<std::string> Peer::read_line() {
  pollfd readable = {.fd = fileno(in_.get()), .events = POLLIN, .revents = 0};
  while (poll(&readable, 1, 200) <= 0) {
    if (interrupted()) throw Interrupted("interrupted");
  }
  char line[256];
  if (!std::fgets(line, sizeof line, in_.get())) return {};
  line[std::strcspn(line, "\n")] = '\0';
  return line;
}

void Peer::write_line(const std::string& line) {
  std::fprintf(out_.get(), "%s\n", line.c_str());
  std::fflush(out_.get());
}

Peer::Timing Peer::measure(const std::string& model, const std::string& method, std::int64_t warm,
                           std::int64_t steps) {
  write_line(fmt::format("{} {} {} {}", model, method, warm, steps));
  const std::optional<std::string> answer = read_line();
  std::istringstream numbers(answer.value_or(""));
  Timing timing = {};
  if (numbers >> timing.seconds >> timing.cpu_seconds) return timing;
  throw RunError(
      fmt::format("PyTorch ended in {} of {}; see its output, or pass --peer none", method, model));
}

void Peer::forget() { write_line("forget"); }

std::optional<std::string> peer_model(const std::string& text) {
  const Value value = parse_value(text);
  if (value.name == "cnn" || value.name == "softmax") return value.name;
  if (value.name != "mlp") return {};
  std::string widths;
  for (const Argument& argument : value.arguments) {
    for (const Argument& width : argument.value.arguments) {
      widths += (widths.empty() ? "" : ",") + print(width.value);
    }
  }
  return "mlp:" + (widths.empty() ? "320,128" : widths);
}

}  // namespace entrain
