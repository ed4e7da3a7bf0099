#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>

namespace entrain {

/// Within the patience for a rank that gives none, at least.
inline constexpr int kSignsOfLife = 8;

/// "no sign of life for 60 s".
std::string print_silence(std::chrono::milliseconds patience);

/// "rank 3" or "ranks 1, 3".
std::string print_ranks(const std::set<int>& ranks);

/// Throws CommunicationError: two ranks take an exchange to be different things.
[[noreturn]] void refuse_other_form(std::int64_t number, int rank, const std::string& form,
                                    int other_rank, const std::string& other_form);

/// Throws CommunicationError: `rank` cannot finish the exchange, as `others` gave up or, if they
/// are none, for the reason alone.
[[noreturn]] void refuse_without(int rank, std::int64_t number, const std::set<int>& others,
                                 const std::string& why);

}  // namespace entrain
