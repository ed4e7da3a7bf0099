#pragma once

#include "entrain/strategy/topology.h"

namespace entrain {

/// A drawing of who takes from whom among n workers: a disc a worker, a line a link, the links of
/// different turns in different colours. Workers stand on a circle, those of geometric() where they
/// are, those of grid() in rows.
std::string topology_svg(const Topology& topology, int n);

}  // namespace entrain
