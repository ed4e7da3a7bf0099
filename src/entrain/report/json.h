#pragma once

#include <string>

#include "entrain/report/records.h"

namespace entrain {

/// One line of metrics.jsonl, without the line's end.
std::string to_json_line(const StepRecord& record);
std::string to_json_line(const RoundRecord& record);
std::string to_json_line(const EvaluationRecord& record);
std::string to_json_line(const EventRecord& record);

/// summary.json, indented.
std::string to_json(const Summary& summary);

}  // namespace entrain
