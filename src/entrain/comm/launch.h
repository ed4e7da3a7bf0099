#pragma once

#include <string>
#include <vector>

namespace entrain {

/// Processes to start on this machine, as one run.
struct LaunchOptions {
  int processes = 1;
  std::string program;                 ///< The path of the binary.
  std::vector<std::string> arguments;  ///< Without the program's name.
};

/// Starts the processes, hosts their store, and waits for all. Rank 0's stdout goes through as it
/// is; every other line of output is prefixed by its rank. If one fails the others are ended
/// (SIGTERM, after 5 s SIGKILL), and the first failure is named. Ctrl-C is passed on. Returns the
/// exit code of the first failure, 130 if interrupted, else 0. Throws CommunicationError or
/// RunError if the processes cannot be started.
int launch(const LaunchOptions& options);

/// Ends this process if the launcher that started it is no more. Call at the start of main().
void end_with_launcher();

}  // namespace entrain
