#include "entrain/comm/place.h"

#include <charconv>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

using Environment = std::map<std::string, std::string>;

int integer(const Environment& environment, const std::string& name, int low, int high) {
  const auto found = environment.find(name);
  if (found == environment.end()) {
    throw UsageError(
        fmt::format("{} is not set, but RANK or WORLD_SIZE is: a launcher sets RANK, WORLD_SIZE, "
                    "MASTER_ADDR and "
                    "MASTER_PORT; unset them all to run alone",
                    name));
  }
  const std::string& text = found->second;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    throw UsageError(fmt::format("{}={}: must be an integer from {} to {}", name, text, low, high));
  }
  return value;
}

}  // namespace

Place place_from(const Environment& environment) {
  Place place;
  if (!environment.contains("RANK") && !environment.contains("WORLD_SIZE")) return place;
  place.size = integer(environment, "WORLD_SIZE", 1, 1 << 20);
  place.rank = integer(environment, "RANK", 0, place.size - 1);
  if (environment.contains("LOCAL_RANK")) {
    place.local_rank = integer(environment, "LOCAL_RANK", 0, place.size - 1);
  }
  if (environment.contains("LOCAL_WORLD_SIZE")) {
    place.local_size = integer(environment, "LOCAL_WORLD_SIZE", 1, place.size);
  }
  place.port = static_cast<std::uint16_t>(integer(environment, "MASTER_PORT", 1, 65535));
  const auto address = environment.find("MASTER_ADDR");
  if (address == environment.end() || address->second.empty()) {
    throw UsageError("MASTER_ADDR is not set: it is the address at which rank 0 is reached");
  }
  place.address = address->second;
  const auto agent = environment.find("TORCHELASTIC_USE_AGENT_STORE");
  place.store_elsewhere = agent != environment.end() && agent->second == "True";
  const auto restarts = environment.find("TORCHELASTIC_RESTART_COUNT");
  if (restarts != environment.end()) place.attempt = restarts->second;
  place.launcher = environment.contains("ENTRAIN_LAUNCH")        ? "entrain launch"
                   : environment.contains("TORCHELASTIC_RUN_ID") ? "torchrun"
                                                                 : "environment";
  return place;
}

}  // namespace entrain
