#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "entrain/comm/communicator.h"
#include "entrain/comm/gloo.h"

namespace entrain {

/// How messages go between two processes.
struct Pacing {
  /// Over which a large piece travels at once: one connection's window does not fill a long link.
  int connections = 1;
  /// Large pieces are cut, and a receiver asks for a few parts at a time, of all its peers in turn:
  /// senders that all fill one short link at once lose packets, and some of them fall behind.
  /// For long links: small messages are asked for before their exchange, and take one latency, not
  /// two. Such questions may be on their way at the end, and a process that closes the connections
  /// to which they come loses what it has sent last: all must have landed before one closes.
  bool in_turn = true;
};

/// Messages between pairs of processes. Gloo lets data go when their receiver has asked for them,
/// so receives that begin early save a latency. Large messages are not copied by us.
///
/// Between two processes pieces arrive in the order in which they are sent. Calls come from one
/// thread, but for abort() and bytes_sent().
class Pairwise {
 public:
  Pairwise(Gloo group, Pacing pacing) : group_(std::move(group)), pacing_(pacing) {}

  /// What one Gloo message carries; in the order in which the receiver asks for them.
  struct Part {
    int peer, tag;
    at::Tensor values;
    GlooWork work = {};     // none yet: not asked for
    at::Tensor early = {};  // where it arrives if it was asked for ahead
  };
  using Parts = std::vector<std::shared_ptr<Part>>;

  /// Goes through the steps (Channel); pieces to this process itself are copied. Throws
  /// std::exception if a peer is lost, or upon abort().
  void exchange(const std::vector<Step>& steps);

  /// Ends what this waits for, from another thread; nothing can be sent or received any more.
  void abort() noexcept;

  std::int64_t bytes_sent() const { return bytes_sent_; }  ///< Payload, on any thread.

 private:
  // Messages of one size from one peer, as all of one tag are; those that were asked for ahead.
  struct Kind {
    std::int64_t bytes;
    std::deque<Part> asked = {};
  };

  Parts parts_of(const std::vector<Piece>& pieces, int step) const;
  Parts receive(const std::vector<Piece>& pieces);
  void send(const std::vector<Piece>& pieces, const Parts& receipt);
  void ask_for_more();
  void ask(Part& part);
  void ask_ahead();
  Kind* kind_of(const Part& part);
  GlooWork receive_into(const at::Tensor& values, int peer, int tag);
  GlooWork keep(GlooWork work);
  void wait(const GlooWork& work);

  Gloo group_;
  Pacing pacing_;
  std::deque<std::shared_ptr<Part>> unasked_;
  int asked_ = 0;                              // parts that are under way to this process
  std::map<std::pair<int, int>, Kind> kinds_;  // asked for ahead, by peer and tag
  std::set<std::pair<int, int>> seen_;         // peers and tags, of which some came once only
  std::int64_t ahead_bytes_ = 0;
  std::atomic<std::int64_t> bytes_sent_{0};
  std::mutex lock_;
  bool aborted_ = false;
  std::deque<GlooWork> pending_;  // what abort() must end
};

}  // namespace entrain
