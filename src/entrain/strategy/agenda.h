#pragma once

#include "entrain/strategy/schedule.h"

namespace entrain {

/// Which of several rounds on one slice is due when. The synchronizer and the cost model read the
/// same agenda, so that what is predicted is what happens.
class Agenda {
 public:
  explicit Agenda(std::vector<Schedule> schedules);

  /// The next step at which a round is due or takes up its schedule.
  std::int64_t next() const { return next_; }

  /// Counts the due times at `step` and returns the round that fires, the last in the list of those
  /// that are due, or -1. The others send nothing. `lr`: the inner learning rate of this step.
  /// REQUIRES: called for each step in turn, or at least for each step next(); and after each call
  /// plan().
  int fire(std::int64_t step, double lr);

  /// Finds the next due step of the rounds that were due. `losses`, one a round: the loss that
  /// came with the round that landed since the last plan, NaN if none did; empty: none at all.
  void plan(const std::vector<double>& losses = {});

  /// The next due step of round i; kNever where its schedule has ended.
  std::int64_t due(std::size_t i) const { return items_[i].due; }

  /// Whether round i was due at the last fire().
  bool was_due(std::size_t i) const { return items_[i].was_due; }
  /// How often round i was due, the last fire() included.
  std::int64_t due_times(std::size_t i) const { return items_[i].progress.round; }

 private:
  struct Item {
    Schedule schedule;
    Progress progress = {};
    std::int64_t due;  // before its first plan: the step of that
    bool begun = false, was_due = false;
  };
  void find_next();

  std::vector<Item> items_;
  std::int64_t step_ = 0;
  std::int64_t next_ = kNever;
};

}  // namespace entrain
