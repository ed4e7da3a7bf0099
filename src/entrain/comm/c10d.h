#pragma once

#include "entrain/comm/communicator.h"
#include "entrain/comm/place.h"

namespace entrain {

/// How rows are summed across processes.
enum class Sums {
  fast,          ///< Rounded to the type of the rows on the way; deterministic for a given layout.
  reproducible,  ///< Direct exchange, in double along one tree: bits do not depend on the layout.
};

/// How long a message takes to any of the others, however short it is. Large fast sums go another
/// way over long links, so their bits differ.
enum class Links {
  measured,  ///< At the start, by the round trips of all ranks to the meeting place.
  short_,    ///< A millisecond or less.
  long_,
};

struct C10dOptions {
  int local_workers = 1;
  Sums sums = Sums::fast;
  Links links = Links::measured;
  std::string interface;  ///< Name or address of the one that peers reach; empty: by the route.
  std::chrono::milliseconds join_timeout{60'000};
  /// How long a rank may give no sign of life. One that lives is waited for without end, whatever
  /// it computes.
  std::chrono::milliseconds patience{60'000};
};

/// Joins the processes of a run over c10d (Gloo). Blocks until all have arrived. Throws
/// CommunicationError that names the ranks that have not within the timeout.
///
/// Cost of a mean over P processes of m columns, per process: by direct exchange, (P-1)/P m items
/// (doubles if sums are reproducible and a process hosts several workers) and then (P-1)/P m items,
/// in three latencies (two where links are long and the chunks of at most 1 MiB, of sizes that came
/// before); by the ring, which takes fast sums of 4 MiB and more over short links, 2
/// (P-1)/P m items in 4 (P-1) latencies.
///
/// The destructor waits until all have landed, at most 2 s, if links are not short and all went
/// well.
std::unique_ptr<Communicator> c10d_communicator(const Place& place, const C10dOptions& options);

}  // namespace entrain
