#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace entrain {

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four
/// random words as a pure function of a key and a counter. All randomness of entrain comes from
/// here, so that a result depends on the seed and never on the order of threads.
std::array<std::uint32_t, 4> philox(std::uint64_t key, const std::array<std::uint32_t, 4>& counter);

/// What a stream of random numbers is for; no two purposes share one.
enum class Purpose : std::uint32_t {
  initial_model = 1,
  partition,
  shuffle,
  glyphs,
  augment,
  codec,
  topology,
  compute_time,
  straggler,
  problem,  // the data of a problem
  sample,   // which samples a worker draws
  noise,    // on its gradient
  link
};

/// A stream of random numbers: a pure function of (seed, purpose, a, b) and the position in it.
class Stream {
 public:
  Stream(std::uint64_t seed, Purpose purpose, std::uint64_t a = 0, std::uint64_t b = 0);

  std::uint32_t next();
  double uniform();                              // in (0, 1): (u + 0.5) 2^-32
  double normal();                               // mean 0, variance 1 (Box-Muller)
  std::uint64_t below(std::uint64_t bound);      // in [0, bound), unbiased; bound >= 1
  void shuffle(std::span<std::int64_t> values);  // Fisher-Yates

 private:
  std::uint64_t key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

}  // namespace entrain
