#include "bench/bench.h"

#include <algorithm>

#include "entrain/core/errors.h"
#include "entrain/core/stopwatch.h"

namespace entrain {

double seconds_of(const std::function<void()>& work) {
  const Stopwatch watch;
  work();
  return watch.seconds();
}

double median(std::vector<double> values) {
  ENTRAIN_CHECK(!values.empty());
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace entrain
