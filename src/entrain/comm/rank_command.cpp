#include "entrain/comm/rank_command.h"

#include <algorithm>
#include <filesystem>

#include "entrain/core/environment.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

// What means the same on every host.
bool goes_along(const std::string& name) {
  for (const char* start : {"ENTRAIN_", "OMP_", "OPENBLAS_", "GLOO_", "NCCL_"}) {
    if (name.starts_with(start)) return true;
  }
  return name == "LD_LIBRARY_PATH";
}

// The name of the first host, without a user, unless another address is given.
std::string meeting_address(const LaunchOptions& options) {
  if (!options.address.empty()) return options.address;
  const auto& hosts = options.hosts;
  if (std::all_of(hosts.begin(), hosts.end(),
                  [](const Host& h) { return is_this_machine(h.name); }))
    return "127.0.0.1";
  const std::string& first = hosts.front().name;
  if (!is_this_machine(first)) return first.substr(first.find('@') + 1);
  throw UsageError(
      fmt::format("launch: {} is the first of several hosts, and the others cannot "
                  "reach it by that name; give its address by --address",
                  first));
}

}  // namespace

RankCommands::RankCommands(const LaunchOptions& options)
    : options_(options), address_(meeting_address(options)) {
  seats_ = options.hosts.empty() ? seats_here(options.processes)
                                 : entrain::seats(options.hosts, options.processes);
}

Command RankCommands::here(const Seat& seat, std::uint16_t port) const {
  Command command = {program(), environment(), ""};
  for (auto& [name, value] : variables(seat, port)) command.variables[name] = value;
  return command;
}

Command RankCommands::to_guard(const Seat& seat) const {
  Command command = {{options_.guard, "guard"}, environment(), ""};
  if (is_this_machine(seat.host)) return command;
  command.words = options_.ssh;
  command.words.push_back(seat.host);
  command.words.push_back("exec " + quoted(options_.guard) + " guard");
  return command;
}

Order RankCommands::order(const Seat& seat, std::optional<int> port) const {
  Order order;
  order.directory = std::filesystem::current_path();
  order.words = program();
  if (!port) order.store_port = options_.port;
  order.variables = variables(seat, port.value_or(options_.port));
  for (const auto& [name, value] : environment()) {
    if (goes_along(name)) order.variables.emplace(name, value);
  }
  return order;
}

std::map<std::string, std::string> RankCommands::variables(const Seat& seat, int port) const {
  auto variables = options_.variables;
  variables["RANK"] = std::to_string(seat.rank);
  variables["WORLD_SIZE"] = std::to_string(seats_.size());
  variables["LOCAL_RANK"] = std::to_string(seat.local_rank);
  variables["LOCAL_WORLD_SIZE"] = std::to_string(seat.local_size);
  variables["MASTER_ADDR"] = address_;
  variables["MASTER_PORT"] = std::to_string(port);
  variables["TORCHELASTIC_USE_AGENT_STORE"] = "True";  // the store is no rank's
  variables["TORCHELASTIC_RESTART_COUNT"] = "0";
  variables["ENTRAIN_LAUNCH"] = "1";
  return variables;
}

std::vector<std::string> RankCommands::program() const {
  std::vector<std::string> words = {options_.program};
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  return words;
}

}  // namespace entrain
