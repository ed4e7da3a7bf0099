#pragma once

#include "entrain/comm/lossless_mean.h"
#include "entrain/strategy/coder.h"
#include "entrain/strategy/rows.h"
#include "entrain/strategy/slice.h"
#include "entrain/strategy/topology.h"

namespace entrain {

/// What gradient and parameter rounds have in common: how their messages are exchanged.

/// The coder of a round over `columns` of the rows; null for exact.
std::shared_ptr<Coder> coder_for(const Codec& codec, const Rows& rows,
                                 const std::vector<Span>& columns);

/// Gives `result` the size that mixing `rows` [w, m] needs: [1, m] for everyone (no mixings), else
/// [w, m]. What it held is lost if that is another one.
void resize_result(const Mixings& mixings, const at::Tensor& rows, at::Tensor& result);

/// Starts the exchange of `rows` [w, m] into `result`: a mean over everyone, or the mixing of turn
/// `turn`; in the form of `coder`, null for exact; a mean that is exact by `lossless`, if given.
std::unique_ptr<Exchange> launch_exchange(Communicator& comm, const Mixings& mixings,
                                          std::int64_t turn, const at::Tensor& rows,
                                          const at::Tensor& result, Coder* coder = nullptr,
                                          LosslessMean* lossless = nullptr);

/// Waits for an exchange; returns how long, on the communicator's clock.
double seconds_waited(const Communicator& comm, Exchange& exchange);

}  // namespace entrain
