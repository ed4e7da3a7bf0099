#include "bench/bench.h"

namespace entrain {
std::string bench_step(const BenchOptions&, bool) { return ""; }
}  // namespace entrain
