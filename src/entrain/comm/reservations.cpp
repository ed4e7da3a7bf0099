#include "entrain/comm/reservations.h"

#include <iterator>

namespace entrain {

double Reservations::take(double ready, double seconds) {
  if (!(seconds > 0)) return ready;
  double begin = ready, now = ready;
  auto next = busy_.upper_bound(ready);
  if (next != busy_.begin() && std::prev(next)->second >= ready) {
    const auto around = std::prev(next);
    begin = around->first;
    now = around->second;
    busy_.erase(around);
  }
  while (next != busy_.end() && next->first - now < seconds) {
    seconds -= next->first - now;
    now = next->second;
    next = busy_.erase(next);
  }
  busy_[begin] = now + seconds;
  return now + seconds;
}

void Reservations::forget_before(double time) {
  while (!busy_.empty() && busy_.begin()->second < time) busy_.erase(busy_.begin());
}

}  // namespace entrain
