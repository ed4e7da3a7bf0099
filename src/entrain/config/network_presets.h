#pragma once

#include <string>
#include <utility>
#include <vector>

namespace entrain {

/// A network by its name.
struct NetworkPreset {
  std::string name, meaning;
  std::vector<std::pair<std::string, std::string>> settings;  ///< Key and text.
};

/// none, office, wireless. The numbers are ours: plausible, and measured nowhere.
const std::vector<NetworkPreset>& network_presets();

std::vector<std::string> network_preset_names();

/// The settings of a preset. REQUIRES: there is one of that name.
const std::vector<std::pair<std::string, std::string>>& network_preset(const std::string& name);

}  // namespace entrain
