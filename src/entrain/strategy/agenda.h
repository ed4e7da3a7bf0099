#pragma once

#include "entrain/strategy/schedule.h"

namespace entrain {

/// Which of several rounds on one slice is due when. The synchronizer and the cost model read the
/// same agenda, so that what is predicted is what happens.
class Agenda {
 public:
  explicit Agenda(std::vector<Schedule> schedules);

  /// The next step at which a round is due.
  std::int64_t next() const { return next_; }

  /// Counts the due times at `step` and returns the round that fires, the last in the list of those
  /// that are due, or -1. The others send nothing. REQUIRES: called for each step in turn, or at
  /// least for each step next().
  int fire(std::int64_t step);

 private:
  struct Item {
    Schedule schedule;
    Progress progress;
    std::int64_t due;
  };
  void find_next();

  std::vector<Item> items_;
  std::int64_t next_ = kNever;
};

}  // namespace entrain
