#include "entrain/train/machine.h"

#include <ATen/ATen.h>
#include <torch/version.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "entrain/core/version.h"

namespace entrain {
namespace {

const char* vectors() {
  return __builtin_cpu_supports("avx512f") ? "avx512f"
         : __builtin_cpu_supports("avx2")  ? "avx2"
                                           : "sse2";
}

std::string host_name() {
  char name[256] = {};
  gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "unknown";
}

std::string describe_machine(const Place& place, const ThreadPlan& threads) {
  const nlohmann::ordered_json json = {
      {"entrain", kVersion},
      {"revision", kRevision},
      {"compiler", "g++ " __VERSION__},
      {"libtorch", TORCH_VERSION},
      {"host", host_name()},
      {"processor", processor()},
      {"vectors", vectors()},
      {"cores", usable_cores()},
      {"threads", {{"intra", threads.intra}, {"workers", threads.workers}}},
      {"blas", blas_in_use()},
      {"launcher", place.launcher},
      {"processes", place.size},
  };
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace entrain
