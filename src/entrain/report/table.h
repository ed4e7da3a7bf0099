#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace entrain {

/// A table for a terminal: the first column to the left, the others to the right, a line under the
/// head. REQUIRES: every row has as many cells as the head.
std::string print_table(const std::vector<std::string>& head,
                        const std::vector<std::vector<std::string>>& rows);

/// "1 worker", "8 workers"; `plural` where it is more than an s.
std::string print_count(std::int64_t count, const std::string& noun,
                        const std::string& plural = "");

/// "12.3 MB", decimal.
std::string print_bytes(double bytes);

/// "1 min 12 s", "3.4 s", "12 ms".
std::string print_seconds(double seconds);

}  // namespace entrain
