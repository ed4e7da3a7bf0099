#pragma once

#include <string>
#include <vector>

namespace entrain {

/// The hosts of a list as Slurm writes it: `login1,node[003-007,12],rack[1-2]n[0-3]`, in its order.
/// Numbers keep their zeros. Throws UsageError that quotes the list: brackets that do not match or
/// stand within each other, ranges that fall, names with other letters than those of host names,
/// or more than a million hosts.
std::vector<std::string> hosts_in(const std::string& list);

/// The tasks on node `node` (from 0) of a list as Slurm writes it: `4(x2),3` for 4, 4 and 3. Throws
/// UsageError that quotes the list if it is none or has no such node.
int tasks_on_node(const std::string& list, int node);

}  // namespace entrain
