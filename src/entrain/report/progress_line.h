#pragma once

#include <cstdint>
#include <string>

#include "entrain/core/stopwatch.h"

namespace entrain {

/// A line on stderr that says how far a run is and how long it will still take: redrawn in place on
/// a terminal, else printed now and then.
class ProgressLine {
 public:
  ProgressLine(std::string label, std::int64_t steps, bool shown);
  ~ProgressLine();

  /// Cheap; draws a few times a second at most.
  void at(std::int64_t step, double train_loss);

  /// The same for work of another kind: `text` says where it is, and `share` of it is done.
  /// REQUIRES: share > 0.
  void at(double share, const std::string& text);

 private:
  bool is_due();
  void draw(double share, const std::string& text);

  std::string label_;
  std::int64_t steps_;
  bool shown_, terminal_, drawn_ = false;
  Stopwatch began_;
  double drawn_at_ = 0;  // seconds
};

}  // namespace entrain
