#pragma once

#include "entrain/comm/communicator.h"

namespace entrain {

/// The mean of the rows of all workers, along the ring of processes: sums of chunks grow from
/// neighbour to neighbour, and their means go round. Rounded to the type of the rows in each step.
/// `rows` [w, m] and `mean` [1, m] are as in Communicator::launch_mean. Collective, within a job.
///
/// Cost over P processes: 2 (P-1)/P m items, in 2 (P-1) messages that wait for each other, of
/// several parts: while one is added, others travel.
void ring_mean(Channel& channel, const Members& members, const at::Tensor& rows,
               const at::Tensor& mean);

}  // namespace entrain
