#pragma once

#include "entrain/comm/communicator.h"
#include "entrain/core/team.h"

namespace entrain {

/// All workers are rows of this process: an exchange is a tensor operation, done when launch
/// returns. Sums are in double always. `team`, if given, shares the columns and must outlive the
/// communicator.
std::unique_ptr<Communicator> local_communicator(int workers, Team* team = nullptr);

}  // namespace entrain
