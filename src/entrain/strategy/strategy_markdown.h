#pragma once

#include <string>

namespace entrain {

/// docs/strategies.md: every method with its paper and equations, and every value of every axis.
std::string strategy_markdown();

}  // namespace entrain
