#include "entrain/core/seeds.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace entrain {

std::array<std::uint32_t, 4> philox(std::uint64_t key,
                                    const std::array<std::uint32_t, 4>& counter) {
  std::array<std::uint32_t, 4> c = counter;
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

// Purpose, a and b go into the key by one more Philox; the counter is then free for the position.
Stream::Stream(std::uint64_t seed, Purpose purpose, std::uint64_t a, std::uint64_t b) : counter_{} {
  const auto mixed =
      philox(seed, {static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(a >> 32),
                    static_cast<std::uint32_t>(b), static_cast<std::uint32_t>(b >> 32)});
  key_ = (std::uint64_t{mixed[1]} << 32 | mixed[0]) ^ (std::uint64_t{mixed[3]} << 32 | mixed[2]);
  counter_[3] = static_cast<std::uint32_t>(purpose);
}

std::uint32_t Stream::next() {
  if (used_ == 4) {
    block_ = philox(key_, counter_);
    used_ = 0;
    for (int word = 0; word < 3 && ++counter_[word] == 0; ++word) {
    }
  }
  return block_[used_++];
}

double Stream::uniform() { return (next() + 0.5) * 0x1p-32; }

double Stream::normal() {
  const double radius = std::sqrt(-2 * std::log(uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::uint64_t Stream::below(std::uint64_t bound) {
  const std::uint64_t limit = bound * (~std::uint64_t{0} / bound);
  for (;;) {
    const std::uint64_t high = next();
    const std::uint64_t draw = high << 32 | next();
    if (draw < limit) return draw % bound;
  }
}

void Stream::shuffle(std::span<std::int64_t> values) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[below(i)]);
}

}  // namespace entrain
