#pragma once

#include "entrain/strategy/round.h"

namespace entrain {

/// A method with a name: how it is written, where it comes from, what it does.
struct Preset {
  Choice<Strategy> choice;
  std::string paper;
  std::string equations;  ///< Lines of text.
};

/// Every method that a configuration can name by `preset = "name(args)"`.
const std::vector<Preset>& catalogue();

/// The strategy that a preset's text names. Throws UsageError.
Strategy build_preset(const Value& value, const RunFacts& facts);

}  // namespace entrain
