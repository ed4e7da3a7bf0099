#pragma once

#include <deque>
#include <functional>
#include <string>

namespace entrain {

/// One stream of a child, passed on line by line: the lines of several children never mix. A line
/// without an end is passed on at the end of the stream, and in pieces of a MiB.
class Relay {
 public:
  /// Reads from `from`, which it closes at the end; writes to `to`, each line behind `prefix`.
  Relay(int from, int to, std::string prefix) : from_(from), to_(to), prefix_(std::move(prefix)) {}

  /// The descriptor to poll; -1 after the end of the stream.
  int descriptor() const { return from_; }

  /// Passes on what is there. Blocks as long as nobody takes our own output.
  void pump();

  /// Lines for which `taker` says true are not passed on.
  void take(std::function<bool(const std::string& line)> taker) { taker_ = std::move(taker); }

  /// The last lines, without their ends.
  const std::deque<std::string>& last_lines() const { return last_; }

 private:
  void pass(std::size_t size);

  int from_, to_;
  std::string prefix_, held_;
  std::function<bool(const std::string&)> taker_;
  std::deque<std::string> last_;
};

}  // namespace entrain
