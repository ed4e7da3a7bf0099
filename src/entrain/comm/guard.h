#pragma once

#include <optional>
#include <string>

namespace entrain {

/// Runs one rank for a launcher on another machine: reads an order (order.h) from standard input
/// and then, byte by byte, signals to pass on. The end of that input means that the launcher or the
/// connection is no more: the rank is ended (SIGTERM, after 5 s SIGKILL). Byte 0 releases the store
/// that it hosts. Returns the exit code of the rank, or 128 and the signal that ended it. Throws
/// CommunicationError or RunError if it cannot be started.
int guard();

/// The port in the line by which a guard says where it hosts the store; nullopt: another line.
std::optional<int> store_port_in(const std::string& line);

}  // namespace entrain
