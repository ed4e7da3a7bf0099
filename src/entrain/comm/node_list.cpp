#include "entrain/comm/node_list.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

using Names = std::vector<std::string>;

constexpr std::size_t kMostHosts = 1'000'000;
constexpr const char* kTooMany = "more than a million hosts";
constexpr std::size_t kLongestNumber = 9;  // fits into 32 bits

[[noreturn]] void refuse_nodes(const std::string& list, const std::string& why) {
  const bool is_long = list.size() > 100;
  throw UsageError(fmt::format("'{}{}': {}; a list of hosts is written like node[003-007,12]",
                               list.substr(0, 100), is_long ? "..." : "", why));
}

// The pieces between the separators that stand outside of brackets.
Names split_outside(const std::string& list, const std::string& text, char separator) {
  Names pieces(1);
  bool inside = false;
  for (const char c : text) {
    if (c == (inside ? '[' : ']')) refuse_nodes(list, "brackets do not match");
    if (c == '[' || c == ']') inside = !inside;
    if (c == separator && !inside) {
      pieces.emplace_back();
    } else {
      pieces.back() += c;
    }
  }
  if (inside) refuse_nodes(list, "brackets do not match");
  return pieces;
}

std::optional<std::uint32_t> digits(const std::string& text) {
  std::uint32_t value = 0;
  const bool fits = !text.empty() && text.size() <= kLongestNumber;
  const bool all =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!fits || !all) return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "003-005" is 003, 004 and 005.
void append_range(const std::string& list, const std::string& range, Names& numbers) {
  const std::size_t dash = std::min(range.find('-'), range.size());
  const std::string low = range.substr(0, dash);
  const std::string high = dash == range.size() ? low : range.substr(dash + 1);
  const auto first = digits(low), last = digits(high);
  if (!first || !last || *first > *last) {
    refuse_nodes(list, fmt::format("'{}' is no range of numbers", range.substr(0, 30)));
  }
  if (numbers.size() + (*last - *first) >= kMostHosts) refuse_nodes(list, kTooMany);
  for (std::uint32_t n = *first; n <= *last; ++n)
    numbers.push_back(fmt::format("{:0{}}", n, low.size()));
}

Names in_brackets(const std::string& list, const std::string& text) {
  Names numbers;
  for (const std::string& range : split_outside(list, text, ','))
    append_range(list, range, numbers);
  return numbers;
}

void append_to_each(const std::string& list, Names& names, const Names& ends) {
  if (names.size() * ends.size() > kMostHosts) refuse_nodes(list, kTooMany);
  Names longer;
  for (const std::string& name : names)
    for (const std::string& end : ends) longer.push_back(name + end);
  names = std::move(longer);
}

bool in_host_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

void check_plain(const std::string& list, const std::string& text) {
  const auto wrong = std::find_if_not(text.begin(), text.end(), in_host_name);
  if (wrong != text.end()) refuse_nodes(list, "a character that no host's name has");
}

// "rack[1-2]n[0-3]"
Names expand(const std::string& list, const std::string& pattern) {
  if (pattern.empty()) refuse_nodes(list, "an empty name");
  Names names(1);
  for (std::size_t at = 0; at < pattern.size();) {
    const std::size_t open = std::min(pattern.find('[', at), pattern.size());
    const std::string plain = pattern.substr(at, open - at);
    check_plain(list, plain);
    append_to_each(list, names, {plain});
    if (open == pattern.size()) break;
    const std::size_t close = pattern.find(']', open);
    append_to_each(list, names, in_brackets(list, pattern.substr(open + 1, close - open - 1)));
    at = close + 1;
  }
  return names;
}

}  // namespace

std::vector<std::string> hosts_in(const std::string& list) {
  Names hosts;
  for (const std::string& pattern : split_outside(list, list, ',')) {
    for (std::string& host : expand(list, pattern)) hosts.push_back(std::move(host));
    if (hosts.size() > kMostHosts) refuse_nodes(list, kTooMany);
  }
  return hosts;
}

int tasks_on_node(const std::string& list, int node) {
  std::uint64_t passed = 0;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string item = list.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t times = item.find("(x");
    const auto tasks = digits(item.substr(0, times));
    std::optional<std::uint32_t> repeated = 1;
    if (times != item.npos) {
      repeated = item.ends_with(')') ? digits(item.substr(times + 2, item.size() - times - 3))
                                     : std::nullopt;
    }
    if (!tasks || !repeated) break;
    passed += *repeated;
    if (static_cast<std::uint64_t>(node) < passed) return static_cast<int>(*tasks);
  }
  throw UsageError(fmt::format("'{}': has no tasks of node {}; Slurm writes it like 4(x2),3",
                               list.substr(0, 100), node));
}

}  // namespace entrain
