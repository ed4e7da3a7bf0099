#include "entrain/comm/repeats.h"

#include <algorithm>
#include <cmath>

namespace entrain {
namespace {

// From 1, with that mean: a spell ends after each message with probability 1 / mean.
std::int64_t geometric(Stream& random, double mean) {
  if (mean == 1) return 1;
  const double length = std::ceil(std::log(random.uniform()) / std::log1p(-1 / mean));
  return static_cast<std::int64_t>(std::clamp(length, 1.0, 1e15));
}

}  // namespace

// A worker begins in a bad spell as often as any message is in one.
Repeats::Repeats(const Loss& loss, int workers, std::uint64_t seed) : loss_(loss) {
  if (none()) return;
  for (int worker = 0; worker < workers; ++worker) {
    Sender sender = {Stream(seed, Purpose::link, worker), false};
    sender.bad = sender.random.uniform() >= loss.bad / (loss.good + loss.bad);
    next_spell(sender);
    senders_.push_back(sender);
  }
}

void Repeats::next_spell(Sender& sender) {
  sender.bad = !sender.bad;
  sender.left = geometric(sender.random, sender.bad ? loss_.bad : loss_.good);
}

std::int64_t Repeats::of_next(int worker, std::int64_t messages) {
  if (none()) return 0;
  Sender& sender = senders_[worker];
  std::int64_t repeats = 0;
  while (messages > 0) {
    if (sender.left == 0) next_spell(sender);
    const std::int64_t sent = sender.bad ? 1 : std::min(messages, sender.left);
    sender.left -= sent;
    if (sender.bad && sender.random.uniform() < loss_.probability) {
      ++repeats;
    } else {
      messages -= sent;
    }
  }
  return repeats;
}

}  // namespace entrain
