#pragma once

#include <string>

#include "entrain/comm/place.h"

namespace entrain {

/// How a process uses the cores.
struct ThreadPlan {
  int intra = 1;    ///< Threads inside one tensor operation, the BLAS included.
  int workers = 1;  ///< Workers that step side by side.
};

/// Fills in what is 0: `intra` is 1 if there are several workers or processes on this host, else
/// the cores; `workers` is what the cores leave for each process, at most its rows.
ThreadPlan plan_threads(int intra, int workers, int rows, const Place& place);

/// Sets the threads of torch's operations for the calling thread, and those of the BLAS for the
/// process. Every thread that computes must call it: OpenMP counts for each thread apart.
void limit_intra_threads(int intra);

/// The cores that this process may use.
int usable_cores();

/// The BLAS that libtorch calls and its threads, as in "OpenBLAS 0.3.21 ... , 1 thread".
std::string blas_in_use();

}  // namespace entrain
