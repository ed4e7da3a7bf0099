#pragma once

namespace entrain {

/// From here on the first Ctrl-C (SIGINT) or SIGTERM only sets a flag, and the second ends the
/// process at once with exit code 130.
void watch_interrupts();

/// Whether one came since watch_interrupts().
bool interrupted();

}  // namespace entrain
