#pragma once

#include <ATen/core/Tensor.h>
#include <mpi.h>

#include <functional>
#include <set>

#include "entrain/comm/communicator.h"

namespace entrain {

/// The messages of one direction of an exchange: begun in their order, a few at a time, and those
/// of all peers in turn, as senders that all fill one short link at once lose packets. All
/// processes have their messages in one order (step, part, distance of the two), so that the first
/// that is not over can always begin at both ends.
class MpiFlow {
 public:
  /// What one message carries.
  struct Part {
    char* at;
    int bytes, peer;
    std::size_t step;
  };
  /// Begins a message: MPI_Isend or MPI_Irecv.
  using Begin = std::function<int(const Part&, MPI_Request*)>;

  /// Not paced, all messages begin at once: for long links.
  MpiFlow(Begin begin, int rank, int size, bool paced)
      : begin_(std::move(begin)), rank_(rank), size_(size), paced_(paced) {}

  /// Adds the pieces of the next step, beginning with the peer who is `turn` (1 or -1) away: no two
  /// processes begin with the same one. Those to this process itself are left out.
  void add(const std::vector<Piece>& pieces, int turn);

  /// Begins what may begin, and takes in what is over; whether anything was.
  bool advance();

  bool over(std::size_t step) const { return left_.at(step) == 0; }
  /// Those with whom a message is not over.
  std::set<int> peers() const;

  bool over() const { return next_ == parts_.size() && requests_.empty(); }

 private:
  void begin();

  Begin begin_;
  int rank_, size_;
  bool paced_;
  std::vector<Part> parts_;
  std::size_t next_ = 0;           // of parts_ to begin
  std::vector<std::size_t> left_;  // parts of each step that are not over
  std::vector<MPI_Request> requests_;
  std::vector<std::size_t> part_of_request_;
  std::vector<int> indices_;
};

}  // namespace entrain
