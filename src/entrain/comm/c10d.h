#pragma once

#include "entrain/comm/communicator.h"
#include "entrain/comm/place.h"

namespace entrain {

/// How rows are summed across processes.
enum class Sums {
  fast,          ///< Gloo's ring, in the type of the rows; deterministic for a given layout.
  reproducible,  ///< Direct exchange, in double along one tree: bits do not depend on the layout.
};

struct C10dOptions {
  int local_workers = 1;
  Sums sums = Sums::fast;
  std::chrono::milliseconds join_timeout{60'000};
};

/// Joins the processes of a run over c10d (Gloo). Blocks until all have arrived. Throws
/// CommunicationError that names the ranks that have not within the timeout.
///
/// Cost of a mean over P processes of m columns, per process: fast, 2 (P-1)/P m items in 2 (P-1)
/// steps; reproducible, (P-1)/P m items (doubles if a process hosts several workers) and then
/// (P-1)/P m items, in two steps.
std::unique_ptr<Communicator> c10d_communicator(const Place& place, const C10dOptions& options);

}  // namespace entrain
