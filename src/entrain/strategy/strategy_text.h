#pragma once

#include <map>

#include "entrain/strategy/round.h"

namespace entrain {

/// Builds a strategy from its text: a preset, as in `local_sgd(8)`, or rounds joined by ` + `, as
/// in `gradients(when=until(100, every(1))) + parameters(when=after(100, every(8)))`. Throws
/// UsageError that quotes the value that is wrong.
Strategy parse_strategy(const std::string& text, const RunFacts& facts = {});

/// Builds a strategy from tables of texts, one a round, with the keys of, when, whom, codec, outer,
/// merge, delay, slice and state.
Strategy strategy_from_rounds(const std::vector<std::map<std::string, std::string>>& rounds,
                              const RunFacts& facts = {});

/// The text of a strategy: its preset if it has one, else its rounds. parse_strategy gives it back.
std::string print(const Strategy& strategy);

/// The rounds of a strategy, spelled out; fields at their default are left out.
std::string print_rounds(const Strategy& strategy);

/// Refuses what no engine can run, quoting the value; with n > 0 also what does not fit n workers.
/// Throws UsageError.
void validate(const Strategy& strategy, int n = 0);

}  // namespace entrain
