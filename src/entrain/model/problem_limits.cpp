#include "entrain/model/problem_limits.h"

#include <cmath>

#include "entrain/core/errors.h"

namespace entrain {

void require_counts(std::string_view problem, std::initializer_list<Count> counts) {
  constexpr std::int64_t most = 100'000'000;
  for (const auto& [name, value, least] : counts) {
    if (value < least) {
      throw UsageError(
          fmt::format("{}: {} = {}: must be at least {}", problem, name, value, least));
    }
    if (value > most) {
      throw UsageError(fmt::format("{}: {} = {}: must be at most {}", problem, name, value, most));
    }
  }
}

void require_at_least_zero(std::string_view problem, std::initializer_list<Amount> amounts) {
  for (const auto& [name, value] : amounts) {
    if (value >= 0 && std::isfinite(value)) continue;
    throw UsageError(
        fmt::format("{}: {} = {}: must be a number >= 0", problem, name, print_number(value)));
  }
}

void require_finite(std::string_view problem, std::string_view name, double value) {
  if (std::isfinite(value)) return;
  throw UsageError(
      fmt::format("{}: {} = {}: must be a finite number", problem, name, print_number(value)));
}

void require_facts(const ProblemFacts& facts) {
  require_counts("problem", {{"workers", facts.workers}, {"batch", facts.batch}});
  if (facts.type == at::kFloat || facts.type == at::kDouble) return;
  throw UsageError(fmt::format("problem: rows of type {}: must be float32 or float64",
                               c10::toString(facts.type)));
}

void require_no_partition(std::string_view problem, const ProblemFacts& facts,
                          std::string_view why) {
  if (facts.partition == "iid") return;
  throw UsageError(fmt::format("{}: partition = '{}' has nothing to deal: {}", problem,
                               excerpt(facts.partition), why));
}

}  // namespace entrain
