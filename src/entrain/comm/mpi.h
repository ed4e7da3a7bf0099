#pragma once

#include "entrain/comm/transport.h"

namespace entrain {

/// Whether this program was built with MPI (ENTRAIN_MPI of CMake).
bool has_mpi();

/// Throws UsageError that says what to install if it was not.
void require_mpi();

/// Joins the processes that mpirun or srun started, over MPI. Blocks until all have arrived. Throws
/// CommunicationError if they have not within the timeout, UsageError if this program has no MPI or
/// another one than its launcher.
///
/// MPI makes progress only while it is called. So a thread of its own makes all calls, goes through
/// the exchanges one after the other while the caller computes, and sleeps between its looks: the
/// exchanges of all communicators of a process go in the order of their launches, which must be
/// alike in all processes. MPI starts once in a process and ends with it: by MPI_Finalize if the
/// process exits with 0 and gave up nothing, else by MPI_Abort with its exit code.
///
/// Cost of a mean over P processes of m columns, per process: as direct_mean.h says, in two steps;
/// fast sums of 4 MiB and more over short links by ring_mean.h.
std::unique_ptr<Communicator> mpi_communicator(const Place& place, const TransportOptions& options);

}  // namespace entrain
