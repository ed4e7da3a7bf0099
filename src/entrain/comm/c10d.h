#pragma once

#include "entrain/comm/transport.h"

namespace entrain {

/// Joins the processes of a run over c10d (Gloo). Blocks until all have arrived. Throws
/// CommunicationError that names the ranks that have not within the timeout.
///
/// Cost of a mean over P processes of m columns, per process: by direct exchange, (P-1)/P m items
/// (doubles if sums are reproducible and a process hosts several workers) and then (P-1)/P m items,
/// in three latencies (two where links are long and the chunks of at most 1 MiB, of sizes that came
/// before); by the ring, which takes fast sums of 512 KiB and more over short links, 2
/// (P-1)/P m items in 4 (P-1) latencies.
///
/// The destructor waits until all have landed, at most 2 s, if links are not short and all went
/// well.
std::unique_ptr<Communicator> c10d_communicator(const Place& place,
                                                const TransportOptions& options);

}  // namespace entrain
