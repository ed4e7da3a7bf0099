#pragma once

#include "entrain/comm/communicator.h"

namespace entrain {

/// Sends each process the rows that its workers take in a mixing and do not have, once each. `rows`
/// [w, k], uint8 or floating. The rows by worker [n]; undefined where this process needs none.
/// Collective, within a job.
std::vector<at::Tensor> exchange_rows(Channel& channel, const Members& members,
                                      const Mixing& mixing, const at::Tensor& rows);

/// Row i of `mixed` [w, m] becomes, in the columns [begin, end), the weighted sum of `rows` [n]
/// that worker first_worker() + i takes.
void mix_rows(const Members& members, const Mixing& mixing, const std::vector<at::Tensor>& rows,
              std::int64_t begin, std::int64_t end, const at::Tensor& mixed);

/// Both: what Communicator::launch_mix is to do.
void mix(Channel& channel, const Members& members, const Mixing& mixing, const at::Tensor& rows,
         const at::Tensor& mixed);

}  // namespace entrain
