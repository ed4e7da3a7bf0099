#pragma once

#include "entrain/comm/transport.h"

namespace entrain {

/// The mean of the rows of all workers: chunk p of each process's row, or sum of rows, goes to
/// process p, which adds up the chunks in double along the tree of processes, and sends the mean of
/// the chunk to all. `rows` [w, m] and `mean` [1, m] are as in Communicator::launch_mean.
/// Collective, within a job.
///
/// Alone in its process a worker sends its row as it is; several send their sum, in double if sums
/// are reproducible, else rounded to the type of the rows.
void direct_mean(Channel& channel, const Members& members, const at::Tensor& rows, Sums sums,
                 const at::Tensor& mean);

/// Its parts: what a process adds up of its rows [w, m] and sends, [1, m], and the columns of a row
/// [1, m] that `process` adds up.
at::Tensor own_sum(const at::Tensor& rows, Sums sums);
at::Tensor chunk_of(const at::Tensor& row, int process, int processes);

}  // namespace entrain
