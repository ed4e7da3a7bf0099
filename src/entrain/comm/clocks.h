#pragma once

#include "entrain/comm/communicator.h"

namespace entrain {

/// What rank 0's clock showed when this process's did, as far as messages can tell.
struct ClockReading {
  double own = 0, ahead = 0;  ///< Seconds: Communicator::now() here, and rank 0's less it.
  double error = 0;           ///< `ahead` is right within so much: half a round trip.
};

/// Reads the clocks of all processes beside that of rank 0, one after the other: the quickest of a
/// few round trips. Blocks; every process calls it. Throws CommunicationError.
ClockReading read_clock(Communicator& comm);

/// This process's times on rank 0's clock, by a reading before them and one after: both clocks run
/// evenly, so what lies between follows a line.
class AlignedClock {
 public:
  AlignedClock(const ClockReading& first, const ClockReading& last);
  double operator()(double own) const;
  double error() const { return error_; }  ///< Of any time between the readings.

 private:
  ClockReading first_;
  double drift_ = 0;
  double error_;
};

/// The bytes that each process gave, in the order of ranks, at rank 0; empty at the others. For
/// large things, which gather() would send to all. Blocks; every process calls it.
std::vector<std::string> collect(Communicator& comm, const std::string& bytes);

}  // namespace entrain
