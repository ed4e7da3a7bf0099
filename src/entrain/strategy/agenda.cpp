#include "entrain/strategy/agenda.h"

#include <algorithm>

#include "entrain/core/errors.h"

namespace entrain {

Agenda::Agenda(std::vector<Schedule> schedules) {
  for (Schedule& schedule : schedules) {
    const std::int64_t first = schedule.start + 1;
    items_.push_back({.schedule = std::move(schedule), .due = first});
  }
  find_next();
}

int Agenda::fire(std::int64_t step, double lr) {
  if (step < next_) return -1;
  step_ = step;
  int firing = -1;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    Item& item = items_[i];
    item.was_due = false;
    if (!item.begun && item.due == step) {
      item.begun = true;
      item.progress.lr = lr;
      item.due = item.schedule.next(item.progress);
      ENTRAIN_CHECK(item.due >= step);
    } else if (item.begun && item.schedule.needs_lr && lr > item.progress.lr) {
      // While the rate warms up the interval of a period's start would be far too long.
      item.progress.lr = lr;
      item.due = std::max(step, item.schedule.next(item.progress));
    }
    if (!item.begun || item.due != step) continue;
    firing = static_cast<int>(i);
    item.was_due = true;
    item.progress.lr = lr;
    item.progress.last_due = step;
    ++item.progress.round;
  }
  return firing;
}

void Agenda::plan(const std::vector<double>& losses) {
  for (std::size_t i = 0; i < items_.size(); ++i) {
    Item& item = items_[i];
    if (!item.was_due) continue;
    item.was_due = false;
    item.progress.loss = losses.empty() ? Progress().loss : losses[i];
    item.due = item.schedule.next(item.progress);
    ENTRAIN_CHECK(item.due > item.progress.last_due);
  }
  find_next();
}

void Agenda::find_next() {
  next_ = kNever;
  for (const Item& item : items_) {
    next_ = std::min(next_, item.due);
    if (item.begun && item.schedule.needs_lr) next_ = std::min(next_, step_ + 1);
  }
}

}  // namespace entrain
