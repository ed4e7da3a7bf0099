#pragma once

#include <string>
#include <vector>

namespace entrain {

/// What a worker did for a while, in seconds from the start.
struct TraceSpan {
  std::string name;  ///< compute, wait or transfer.
  int worker = 0;
  double begin = 0, end = 0;
};

/// trace.json for Perfetto (ui.perfetto.dev): a process a worker; its computing and waiting on one
/// track, messages under way on another.
std::string trace_json(const std::vector<TraceSpan>& spans);

}  // namespace entrain
