#include "entrain/report/trace.h"

#include <nlohmann/json.hpp>
#include <set>

namespace entrain {

std::string trace_json(const std::vector<TraceSpan>& spans) {
  using Json = nlohmann::ordered_json;
  Json events = Json::array();
  std::set<int> workers;
  for (const TraceSpan& span : spans) workers.insert(span.worker);
  for (const int worker : workers) {
    events.push_back({{"name", "process_name"},
                      {"ph", "M"},
                      {"pid", worker},
                      {"args", {{"name", "worker " + std::to_string(worker)}}}});
    for (const auto& [track, name] : {std::pair{0, "compute"}, {1, "communication"}}) {
      events.push_back({{"name", "thread_name"},
                        {"ph", "M"},
                        {"pid", worker},
                        {"tid", track},
                        {"args", {{"name", name}}}});
    }
  }
  for (const TraceSpan& span : spans) {
    events.push_back({{"name", span.name},
                      {"ph", "X"},
                      {"pid", span.worker},
                      {"tid", span.name == "transfer" ? 1 : 0},
                      {"ts", 1e6 * span.begin},
                      {"dur", 1e6 * (span.end - span.begin)}});
  }
  const Json trace = {{"displayTimeUnit", "ms"}, {"traceEvents", events}};
  return trace.dump() + "\n";
}

}  // namespace entrain
