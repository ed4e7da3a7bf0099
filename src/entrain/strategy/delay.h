#pragma once

#include "entrain/core/text.h"
#include "entrain/strategy/schedule.h"

namespace entrain {

/// How long a message is in flight. It lands at the latest when its round fires next.
struct Delay {
  Value text = call("steps", {{"", number(0)}});
  std::int64_t steps = 0;  ///< From launch to landing; kNever: when the round fires next.
  bool first_anchor =
      false;  ///< At its first due step the round meets the anchor of the start, without waiting.
};

/// Lands k steps after the launch; 0 blocks. Throws UsageError if k < 0.
Delay steps(std::int64_t k);

/// Lands when the round fires next, whatever the period's length. With `first_anchor` its first due
/// step pulls to the common start without waiting, then launches as usual (Overlap-Local-SGD).
Delay period(bool first_anchor = false);

const std::vector<Choice<Delay>>& delay_choices();

}  // namespace entrain
