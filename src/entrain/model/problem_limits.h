#pragma once

#include <initializer_list>
#include <string_view>

#include "entrain/model/problem.h"

namespace entrain {

struct Count {
  std::string_view name;
  std::int64_t value = 0, least = 1;
};

struct Amount {
  std::string_view name;
  double value = 0;
};

/// Throw UsageError "<problem>: <name> = <value>: ..." where a value is none that can be meant.
void require_counts(std::string_view problem, std::initializer_list<Count> counts);
void require_at_least_zero(std::string_view problem, std::initializer_list<Amount> amounts);
void require_finite(std::string_view problem, std::string_view name, double value);

/// Throws for no worker, no batch, and a type of rows that is neither float32 nor float64.
void require_facts(const ProblemFacts& facts);

/// Throws where a partition is asked for though there is nothing to deal: `why` says so.
void require_no_partition(std::string_view problem, const ProblemFacts& facts,
                          std::string_view why);

}  // namespace entrain
