#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace entrain {

/// A program to start.
struct Command {
  std::vector<std::string> words;  ///< Its name, with '/' or looked up, and arguments.
  std::map<std::string, std::string> variables;  ///< Its whole environment.
  std::string directory;                         ///< Where it runs; empty: here.
};

/// What becomes its standard input, output and error; -1: /dev/null as input, ours as output.
struct Streams {
  int in = -1, out = -1, err = -1;
};

/// Starts a program in a process group of its own, so that Ctrl-C on a terminal reaches it through
/// us alone. It is killed when the calling thread ends, however that comes to be. Throws RunError
/// that names the program, the directory and the system's reason.
pid_t spawn(const Command& command, const Streams& streams);

/// A pipe whose ends programs do not inherit. Throws RunError.
struct Pipe {
  Pipe();
  int read_end, write_end;
};

}  // namespace entrain
