#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace entrain {

/// A host and how many ranks it takes.
struct Host {
  std::string name;  ///< As ssh takes it: `node1`, `user@node1`, a name of its configuration.
  int slots = 1;
};

/// Reads a file of hosts: one a line, `slots=N` behind it for more than one rank; what is behind a
/// # is a comment. Throws UsageError with file, line and the word that is wrong.
std::vector<Host> read_hosts(const std::filesystem::path& path);

/// The same of a text; `name` stands for the file in messages.
std::vector<Host> parse_hosts(const std::string& text, const std::string& name);

/// Whether a name means this machine, so that no ssh is needed.
bool is_this_machine(const std::string& host);

/// Where a rank runs, and as which of its host's ranks.
struct Seat {
  int rank = 0, local_rank = 0, local_size = 1;
  std::string host;  ///< Empty: here, started directly.
};

/// Seats for `processes` ranks, host by host; 0: as many as there are slots. Throws UsageError if
/// there are fewer slots than that, or none.
std::vector<Seat> seats(const std::vector<Host>& hosts, int processes);

/// Seats for `processes` ranks of this machine.
std::vector<Seat> seats_here(int processes);

}  // namespace entrain
