#include "entrain/train/threads.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <sched.h>

#include <algorithm>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

// Debian chooses the BLAS by its alternatives, so it is known only at run time.
template <class Function>
Function symbol(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

}  // namespace

int usable_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

ThreadPlan plan_threads(int intra, int workers, int rows, const Place& place) {
  const int cores = usable_cores();
  ThreadPlan plan;
  plan.intra = intra > 0 ? intra : (rows > 1 || place.size > 1) ? 1 : cores;
  plan.workers = workers > 0
                     ? std::min(workers, rows)
                     : std::clamp(cores / (plan.intra * place.local_size), 1, std::max(1, rows));
  return plan;
}

void limit_intra_threads(int intra) {
  at::set_num_threads(intra);
  if (const auto set = symbol<void (*)(int)>("openblas_set_num_threads")) set(intra);
}

std::string blas_in_use() {
  const auto config = symbol<char* (*)()>("openblas_get_config");
  const auto threads = symbol<int (*)()>("openblas_get_num_threads");
  if (!config || !threads) return "a BLAS that does not say its name";
  return fmt::format("{}, {} thread{}", config(), threads(), threads() == 1 ? "" : "s");
}

}  // namespace entrain
