#include "entrain/config/network_presets.h"

#include <algorithm>

#include "entrain/core/errors.h"

namespace entrain {

const std::vector<NetworkPreset>& network_presets() {
  static const std::vector<NetworkPreset> presets = {
      {"none", "nothing is filled in", {}},
      {"office",
       "machines on one Ethernet switch",
       {{"network.bandwidth", "1 Gbit/s"}, {"network.latency", "0.2 ms"}}},
      {"wireless",
       "nodes on one radio channel that fades",
       {{"network.bandwidth", "20 Mbit/s"},
        {"network.latency", "5 ms"},
        {"network.medium", "shared"},
        {"network.loss", "bursty(good=50, bad=5, loss=0.5)"}}},
  };
  return presets;
}

std::vector<std::string> network_preset_names() {
  std::vector<std::string> names;
  for (const NetworkPreset& preset : network_presets()) names.push_back(preset.name);
  return names;
}

const std::vector<std::pair<std::string, std::string>>& network_preset(const std::string& name) {
  const auto& presets = network_presets();
  const auto found = std::find_if(presets.begin(), presets.end(),
                                  [&](const NetworkPreset& preset) { return preset.name == name; });
  ENTRAIN_CHECK(found != presets.end());
  return found->settings;
}

}  // namespace entrain
