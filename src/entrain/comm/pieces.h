#pragma once

#include "entrain/comm/communicator.h"

namespace entrain {

/// Those that go to or come from `peer`, in their order.
std::vector<Piece> pieces_of(const std::vector<Piece>& pieces, int peer);

/// Copies what a step sends from `rank` to itself.
void copy_own(const Step& step, int rank);

}  // namespace entrain
