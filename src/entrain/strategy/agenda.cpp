#include "entrain/strategy/agenda.h"

#include <algorithm>

namespace entrain {

Agenda::Agenda(std::vector<Schedule> schedules) {
  for (Schedule& schedule : schedules) {
    const std::int64_t due = schedule.next({});
    items_.push_back({std::move(schedule), {}, due});
  }
  find_next();
}

int Agenda::fire(std::int64_t step) {
  if (step < next_) return -1;
  int firing = -1;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    Item& item = items_[i];
    if (item.due != step) continue;
    firing = static_cast<int>(i);
    item.progress.last_due = step;
    item.due = item.schedule.next(item.progress);
  }
  find_next();
  return firing;
}

void Agenda::find_next() {
  next_ = kNever;
  for (const Item& item : items_) next_ = std::min(next_, item.due);
}

}  // namespace entrain
