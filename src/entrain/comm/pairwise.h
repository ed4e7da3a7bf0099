#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <mutex>
#include <vector>

#include "entrain/comm/communicator.h"
#include "entrain/comm/gloo.h"

namespace entrain {

/// Messages between pairs of processes, without copies of ours. Gloo lets data go when their
/// receiver has asked for them, so receives that are posted early save a latency.
///
/// Between two processes pieces arrive in the order in which they are sent; no two processes begin
/// with the same peer, so that none is flooded. Calls come from one
/// thread, but for abort() and bytes_sent().
class Pairwise {
 public:
  /// Large pieces are cut into `connections` parts that travel at once: one connection's window
  /// does not fill a long link.
  Pairwise(Gloo group, int connections) : group_(std::move(group)), connections_(connections) {}

  /// Sends `out` and receives `in`; pieces to this process itself are copied.
  void exchange(const std::vector<Piece>& in, const std::vector<Piece>& out);

  using Receipt = std::vector<GlooWork>;

  /// Starts to receive `pieces` of others; returns at once.
  Receipt receive(const std::vector<Piece>& pieces);

  /// Sends `pieces` to others, and returns when their memory may be used again.
  void send(const std::vector<Piece>& pieces);

  /// Blocks until the pieces are there. Throws std::exception if a peer is lost, or upon abort().
  void wait(const Receipt& receipt);

  /// Ends what this waits for, from another thread; nothing can be sent or received any more.
  void abort() noexcept;

  std::int64_t bytes_sent() const { return bytes_sent_; }  ///< Payload, on any thread.

 private:
  GlooWork keep(GlooWork work);
  template <class Post>
  Receipt post(const std::vector<Piece>& pieces, int step, Post one);

  Gloo group_;
  int connections_;
  std::atomic<std::int64_t> bytes_sent_{0};
  std::mutex lock_;
  bool aborted_ = false;
  std::vector<GlooWork> pending_;  // what abort() must end
};

/// The mean of the rows of all workers: chunk p of `own`, which is this process's row or sum of
/// rows, goes to process p, which adds up the chunks in double along the tree of processes, and
/// sends the mean of the chunk to all. `own` [1, m] and `mean` [1, m], both contiguous.
void direct_mean(Pairwise& pairs, const Members& members, const at::Tensor& own,
                 const at::Tensor& mean);

}  // namespace entrain
