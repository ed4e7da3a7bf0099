#pragma once

#include "entrain/comm/network.h"
#include "entrain/core/seeds.h"

namespace entrain {

/// How often workers must send their messages again (see Loss): a function of the seed, the worker
/// and how many messages it sent before.
class Repeats {
 public:
  Repeats(const Loss& loss, int workers, std::uint64_t seed);

  bool none() const { return loss_.probability == 0; }

  /// The repeats that the next `messages` of a worker take together.
  std::int64_t of_next(int worker, std::int64_t messages);

 private:
  struct Sender {
    Stream random;
    bool bad;
    std::int64_t left = 0;  // messages of the spell
  };
  void next_spell(Sender& sender);

  Loss loss_;
  std::vector<Sender> senders_;
};

}  // namespace entrain
