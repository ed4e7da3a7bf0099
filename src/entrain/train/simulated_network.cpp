#include "entrain/train/simulated_network.h"

#include "entrain/core/errors.h"

namespace entrain {
namespace {

// A setting that does nothing without a bandwidth is an error where it was given.
void require_nothing_given(const Resolved& resolved) {
  if (resolved.values.network == Settings::Network()) return;
  std::string given = "network";
  for (const auto& [key, origin] : resolved.origins) {
    if (!key.starts_with("network.")) continue;
    const Setting* setting = find_setting(key);
    if (value_text(*setting, resolved.values) != value_text(*setting, {})) given = key;
  }
  located(resolved, given, [] {
    throw UsageError(
        "a simulated network needs network.bandwidth, as in 1 Gbit/s, or network.preset, as in "
        "wireless");
  });
}

Network::Collective collective_named(const std::string& name) {
  return name == "tree"     ? Network::Collective::tree
         : name == "ring"   ? Network::Collective::ring
         : name == "direct" ? Network::Collective::direct
                            : Network::Collective::halving_doubling;
}

}  // namespace

std::optional<SimulatedNetwork> simulated_network(const Resolved& resolved, const Place& place,
                                                  const RunFacts& facts) {
  const Settings::Network& spec = resolved.values.network;
  if (spec.bandwidth.empty()) {
    require_nothing_given(resolved);
    return std::nullopt;
  }
  const auto choice = [&](const char* key, const auto& choices, const std::string& text,
                          const char* axis) {
    return located(resolved, key, [&] { return build(choices, parse_value(text), axis, facts); });
  };
  SimulatedNetwork built;
  Network& network = built.network;
  network.link.bandwidth = located(resolved, "network.bandwidth", [&] {
    if (place.size > 1) {
      throw UsageError("a simulated network has all workers in one process; start one");
    }
    return parse_bandwidth(spec.bandwidth);
  });
  network.link.latency =
      located(resolved, "network.latency", [&] { return parse_latency(spec.latency); });
  network.between = located(resolved, "network.links",
                            [&] { return parse_links(spec.links, network.link, facts.workers); });
  network.collective = collective_named(spec.collective);
  network.medium = choice("network.medium", medium_choices(), spec.medium, "medium");
  network.loss = choice("network.loss", loss_choices(), spec.loss, "loss");
  built.compute = choice("network.compute", compute_time_choices(), spec.compute, "compute time");
  built.straggler = choice("network.straggler", straggler_choices(), spec.straggler, "straggler");
  return built;
}

}  // namespace entrain
