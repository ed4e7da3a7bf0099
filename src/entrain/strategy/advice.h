#pragma once

#include "entrain/strategy/round.h"

namespace entrain {

/// What a user should know of a strategy on n workers before it runs; a sentence each. `lossless`:
/// what they send is to be compressed so.
std::vector<std::string> advice(const Strategy& strategy, int n, bool lossless);

}  // namespace entrain
