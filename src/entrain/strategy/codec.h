#pragma once

#include "entrain/core/text.h"
#include "entrain/strategy/row_codec.h"

namespace entrain {

/// In which form a message travels. A value; what is kept from round to round stands in a Coder.
struct Codec {
  Value text = call("exact");
  BlockCodecPtr blocks = {};   ///< Coded block by block; one of these three, or none for exact.
  RowCodecPtr rows = {};       ///< Coded row by row.
  std::int64_t rank = 0;       ///< Low rank: the means of two factors of each matrix.
  double min_rate = 2;         ///< Low rank only where it is that much smaller.
  bool codes_mean = false;     ///< The mean goes back in the same form.
  bool feedback = false;       ///< What was not sent is added to the next message.
  bool of_parameters = false;  ///< Goes with parameters, too: what it leaves out is small.
  std::uint64_t seed = 1;      ///< Of random codecs and of the first factors.

  bool exact() const { return !blocks && !rows && rank == 0; }
};

/// The codecs that texts may name, error_feedback(codec) among them.
const std::vector<Choice<Codec>>& codec_choices();
Codec build_codec(const Value& value, const RunFacts& facts);

}  // namespace entrain
