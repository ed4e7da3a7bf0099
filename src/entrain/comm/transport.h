#pragma once

#include "entrain/comm/communicator.h"
#include "entrain/comm/place.h"

namespace entrain {

/// What carries messages between processes.
enum class Via { gloo, mpi };

/// How rows are summed across processes.
enum class Sums {
  fast,          ///< Rounded to the type of the rows on the way; deterministic for a given layout.
  reproducible,  ///< Direct exchange, in double along one tree: bits do not depend on the layout.
};

/// How long a message takes to any of the others, however short it is. Large fast sums go another
/// way over long links, so their bits differ.
enum class Links {
  measured,  ///< At the start, by the ranks' round trips.
  short_,    ///< A millisecond or less.
  long_,
};

struct TransportOptions {
  Via via = Via::gloo;
  int local_workers = 1;
  Sums sums = Sums::fast;
  Links links = Links::measured;
  bool lossless = false;  ///< Means of what moves little shrink on the wire (lossless_mean.h).
  std::string interface =
      {};  ///< Name or address of the one that peers reach; empty: by the route.
  std::chrono::milliseconds join_timeout{60'000};
  /// How long a rank may give no sign of life. One that lives is waited for without end, whatever
  /// it computes.
  std::chrono::milliseconds patience{60'000};
};

/// Where this process stands, by its environment (place.h, mpi.h). Throws UsageError.
Place place_for(Via via, const std::map<std::string, std::string>& environment);

/// Joins the processes of a run over the transport that `options` name (c10d.h, mpi.h). Blocks
/// until all have arrived. Throws UsageError, CommunicationError.
std::unique_ptr<Communicator> join_processes(const Place& place, const TransportOptions& options);

/// What an exchange of rows [w, m] is, for ranks to compare: "a sum of m x Float".
std::string form_of(const char* what, const at::Tensor& rows);

/// Bytes from which a part of the gradients is worth an exchange of its own: over long links each
/// costs latencies. None where one process has all workers.
std::optional<std::int64_t> bucket_bytes_for(int processes, bool long_links);

/// Round trips, in seconds: from which a link is long, and up to which few parts fill it.
inline constexpr double kLongRoundTrip = 0.003, kShortRoundTrip = 5e-4;

}  // namespace entrain
