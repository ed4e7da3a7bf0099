#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace entrain {

/// What a worker or a process did for a while, in seconds from the start.
struct TraceSpan {
  std::string name;  ///< compute, launch, wait, land, transfer or evaluate.
  int process = 0;   ///< A number of its own for each worker or rank.
  double begin = 0, end = 0;
};

struct Trace {
  std::string who = "worker";  ///< What a process of the trace is: a worker, or a rank.
  std::vector<TraceSpan> spans = {};
  std::int64_t left_out = 0;  ///< Spans that came too late to be kept.
  /// Times of different processes can be compared within so many seconds; none: they are of one
  /// clock.
  std::optional<double> clock_error = {};
};

/// trace.json for Perfetto (ui.perfetto.dev): a process for each worker or rank, and in it a track
/// for each name. Messages that are under way at a time stand on tracks beside each other.
std::string trace_json(const Trace& trace);

}  // namespace entrain
