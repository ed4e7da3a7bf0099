// In place of the files mpi*.cpp where MPI was not found, or not wanted.

#include "entrain/comm/mpi.h"
#include "entrain/core/errors.h"

namespace entrain {

bool has_mpi() { return false; }

void require_mpi() {
  throw UsageError(
      "comm.transport = mpi: this entrain was built without MPI; install libopenmpi-dev and build "
      "again with -DENTRAIN_MPI=ON, or use comm.transport = gloo");
}

std::unique_ptr<Communicator> mpi_communicator(const Place&, const TransportOptions&) {
  require_mpi();
  return nullptr;
}

}  // namespace entrain
