#pragma once

#include <fstream>

#include "process/command.h"

namespace entrain {

/// Writes a program in place of ssh: called with a host and a command for a shell, it runs the
/// command here, as sshd does there: in a shell that is not its own process and does not end with
/// it. A host named `dead...` cannot be reached.
inline std::string fake_ssh(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "fake_ssh";
  std::ofstream(path) << R"(#!/bin/sh
case $1 in dead*) echo "ssh: connect to host $1 port 22: No route to host" >&2; exit 255 ;; esac
exec 3<&0
HOST=$1 /bin/sh -c "$2" <&3 3<&- &
exec 3<&-
wait $!
)";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

/// Writes a file of hosts.
inline std::string hosts_file(const std::filesystem::path& folder, const std::string& lines) {
  const std::filesystem::path path = folder / "hosts";
  std::ofstream(path) << lines;
  return path;
}

}  // namespace entrain
