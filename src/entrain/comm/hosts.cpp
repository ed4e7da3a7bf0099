#include "entrain/comm/hosts.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <sstream>

#include "entrain/core/errors.h"
#include "entrain/core/files.h"

namespace entrain {
namespace {

constexpr int kMostSlots = 4096;

int slots_of(const std::string& word, const std::string& where) {
  const std::string key = "slots=";
  if (!word.starts_with(key)) {
    throw UsageError(
        fmt::format("{}: '{}' is not known here; a line is `host` or `host slots=2`", where, word));
  }
  int slots = 0;
  const char* const end = word.data() + word.size();
  const auto [parsed, error] = std::from_chars(word.data() + key.size(), end, slots);
  if (error != std::errc() || parsed != end || slots < 1 || slots > kMostSlots) {
    throw UsageError(
        fmt::format("{}: '{}': slots must be an integer from 1 to {}", where, word, kMostSlots));
  }
  return slots;
}

// ssh takes a word with a dash in front for an option.
void check_host_name(const std::string& name, const std::string& where) {
  const auto is_fit = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string("-_.@:%[]").find(c) != std::string::npos;
  };
  if (name.starts_with('-') || !std::all_of(name.begin(), name.end(), is_fit)) {
    throw UsageError(fmt::format("{}: '{}' is no name of a host", where, name));
  }
}

Host parse_line(std::istringstream words, const std::string& where) {
  Host host;
  words >> host.name;
  if (host.name.empty()) return host;
  check_host_name(host.name, where);
  std::string word;
  if (words >> word) host.slots = slots_of(word, where);
  if (words >> word) {
    throw UsageError(
        fmt::format("{}: '{}' is too much; a line is `host` or `host slots=2`", where, word));
  }
  return host;
}

}  // namespace

std::vector<Host> read_hosts(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    throw UsageError(fmt::format("--hosts {}: there is no such file", path.string()));
  }
  return parse_hosts(read_whole(path), path.string());
}

std::vector<Host> parse_hosts(const std::string& text, const std::string& name) {
  std::vector<Host> hosts;
  std::map<std::string, int> line_of;
  std::istringstream lines(text);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    const std::string where = fmt::format("{}:{}", name, ++number);
    Host host = parse_line(std::istringstream(line.substr(0, line.find('#'))), where);
    if (host.name.empty()) continue;
    const auto [known, is_new] = line_of.emplace(host.name, number);
    if (!is_new) {
      throw UsageError(
          fmt::format("{}: '{}' stands in line {} already; for more than one rank write "
                      "`{} slots=2`",
                      where, host.name, known->second, host.name));
    }
    hosts.push_back(std::move(host));
  }
  if (hosts.empty()) throw UsageError(fmt::format("{}: names no host", name));
  return hosts;
}

bool is_this_machine(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::vector<Seat> seats(const std::vector<Host>& hosts, int processes) {
  int slots = 0;
  for (const Host& host : hosts) slots += host.slots;
  if (processes < 0 || slots < 1) {
    throw UsageError(fmt::format("launch -n {}: at least 1 process", processes));
  }
  if (processes > slots) {
    throw UsageError(fmt::format(
        "launch -n {}: the hosts have {} slots; give them more (`{} slots=N`) or fewer processes",
        processes, slots, hosts.front().name));
  }
  int left = processes > 0 ? processes : slots;
  std::vector<Seat> all;
  for (const Host& host : hosts) {
    const int here = std::min(host.slots, left);
    left -= here;
    for (int local = 0; local < here; ++local) {
      all.push_back({static_cast<int>(all.size()), local, here, host.name});
    }
  }
  return all;
}

std::vector<Seat> seats_here(int processes) { return seats({{"", processes}}, processes); }

}  // namespace entrain
