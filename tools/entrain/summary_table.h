#pragma once

#include <string>
#include <vector>

#include "entrain/report/records.h"

namespace entrain {

/// Runs side by side: accuracy, loss, rounds, bytes, seconds.
std::string print_summaries(const std::vector<Summary>& summaries);

}  // namespace entrain
