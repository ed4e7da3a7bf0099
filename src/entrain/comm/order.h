#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace entrain {

/// What a launcher asks of the guard on another host (guard.h): one rank to run there.
struct Order {
  std::string directory;                         ///< Where it runs.
  std::vector<std::string> words;                ///< Program and arguments.
  std::map<std::string, std::string> variables;  ///< On top of the environment of that host.
  std::optional<int> store_port;  ///< Host the store of the run, here; 0: at any free port.
};

/// The order as text: a line with its length, then its parts, each with a zero byte behind it. So
/// nothing has to be quoted, and no command line of the other host shows it.
std::string print(const Order& order);

/// Reads an order, and nothing behind it. `read` gives up to that many bytes, fewer only at the end
/// of the stream. Throws CommunicationError if the stream ends early or holds something else.
Order read_order(const std::function<std::string(std::size_t)>& read);

/// `text` as one word of a shell.
std::string quoted(const std::string& text);

}  // namespace entrain
