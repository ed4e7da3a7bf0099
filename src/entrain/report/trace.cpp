#include "entrain/report/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace entrain {
namespace {

constexpr std::array<const char*, 6> kTracks = {"compute", "launch",   "wait",
                                                "land",    "evaluate", "transfer"};

// In whole nanoseconds, so that spans which touch do not overlap by what rounding makes of them.
std::int64_t nanoseconds(double seconds) { return std::llround(1e9 * seconds); }

std::string microseconds(std::int64_t nanoseconds) {
  const char* const sign = nanoseconds < 0 ? "-" : "";
  const std::int64_t size = std::abs(nanoseconds);
  return fmt::format("{}{}.{:03}", sign, size / 1000, size % 1000);
}

// The tracks of one process: slices of a track must not overlap, so what does moves to a further
// one; those that come last may be as many as they need.
class Tracks {
 public:
  int track_for(const std::string& name, std::int64_t begin, std::int64_t end) {
    const auto place = std::find(kTracks.begin(), kTracks.end(), name) - kTracks.begin();
    std::vector<std::int64_t>& ends = ends_[static_cast<int>(place)];
    const auto free =
        std::find_if(ends.begin(), ends.end(), [&](std::int64_t last) { return last <= begin; });
    const auto lane = static_cast<int>(free - ends.begin());
    if (free == ends.end()) ends.push_back(0);
    ends[lane] = end;
    return static_cast<int>(place) + static_cast<int>(kTracks.size()) * lane;
  }

  std::vector<std::pair<int, std::string>> names() const {
    std::vector<std::pair<int, std::string>> names;
    for (const auto& [place, ends] : ends_) {
      for (int lane = 0; lane < static_cast<int>(ends.size()); ++lane) {
        const std::string name =
            place < static_cast<int>(kTracks.size()) ? kTracks[place] : "other";
        names.push_back({place + static_cast<int>(kTracks.size()) * lane,
                         lane == 0 ? name : fmt::format("{} {}", name, lane + 1)});
      }
    }
    return names;
  }

 private:
  std::map<int, std::vector<std::int64_t>> ends_;  // of the last slice on each track
};

std::string name_event(const char* what, int process, int track, const std::string& name) {
  return fmt::format(R"({{"name":"{}","ph":"M","pid":{},"tid":{},"args":{{"name":"{}"}}}})", what,
                     process, track, name);
}

std::string slice(const TraceSpan& span, int track, std::int64_t begin, std::int64_t end) {
  return fmt::format(R"({{"name":"{}","ph":"X","pid":{},"tid":{},"ts":{},"dur":{}}})", span.name,
                     span.process, track, microseconds(begin), microseconds(end - begin));
}

std::string other_data(const Trace& trace) {
  return fmt::format(R"({{"spans_left_out":{},"clocks_agree_within_seconds":{}}})", trace.left_out,
                     trace.clock_error ? fmt::format("{:.9f}", *trace.clock_error) : "null");
}

}  // namespace

std::string trace_json(const Trace& trace) {
  std::vector<const TraceSpan*> sorted;
  for (const TraceSpan& span : trace.spans) sorted.push_back(&span);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return a->begin < b->begin; });
  std::map<int, Tracks> processes;
  std::vector<std::string> events;
  for (const TraceSpan* span : sorted) {
    const std::int64_t begin = nanoseconds(span->begin), end = nanoseconds(span->end);
    const int track = processes[span->process].track_for(span->name, begin, end);
    events.push_back(slice(*span, track, begin, end));
  }
  for (const auto& [process, tracks] : processes) {
    events.push_back(
        name_event("process_name", process, 0, fmt::format("{} {}", trace.who, process)));
    for (const auto& [track, name] : tracks.names()) {
      events.push_back(name_event("thread_name", process, track, name));
    }
  }
  return fmt::format("{{\"displayTimeUnit\":\"ms\",\"otherData\":{},\"traceEvents\":[\n{}\n]}}\n",
                     other_data(trace), fmt::join(events, ",\n"));
}

}  // namespace entrain
