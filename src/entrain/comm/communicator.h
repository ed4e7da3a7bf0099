#pragma once

#include <ATen/core/Tensor.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "entrain/comm/mixing.h"

namespace entrain {

class LosslessMean;  // lossless_mean.h

/// A time of this host's steady clock, in seconds.
inline double seconds_of(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// One exchange under way.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Whether wait() would return at once. Does not block.
  virtual bool done() = 0;
  /// Blocks until the result is there. Throws CommunicationError if a peer is lost (then nothing of
  /// the result may be used), Interrupted if Ctrl-C came while waiting. Call once.
  virtual void wait() = 0;
  /// When the result was there, in seconds on the communicator's clock, whoever looked at it when;
  /// 0 where nothing travels. REQUIRES: wait() has returned.
  virtual double finished_at() const = 0;
};

/// Where a process stands among those that train together; its workers are numbered first_worker(),
/// first_worker() + 1, ... among the workers() of all.
struct Members {
  int rank = 0, size = 1, local_workers = 1;
  int workers() const { return size * local_workers; }
  int first_worker() const { return rank * local_workers; }
};

/// What goes to or comes from a process: a tensor of contiguous memory, uint8 or floating.
struct Piece {
  int peer;  ///< Its rank; may be this process's own.
  at::Tensor values;
};

/// One of several steps of an exchange.
struct Step {
  std::vector<Piece> in, out;
  std::function<void()> then = {};  ///< Done once all is received; it is over then.
};

/// What a job of several steps may call, on the communicator's own thread.
class Channel {
 public:
  virtual ~Channel() = default;
  /// Sends the pieces `out` and receives the pieces `in`. Between two processes they arrive in the
  /// order in which they stand. Blocks.
  virtual void exchange(const std::vector<Piece>& in, const std::vector<Piece>& out) = 0;
  /// Goes through the steps, which end in their order; each sends once that `at_once` before it is
  /// over, or earlier ones are. What a step receives may arrive before its turn.
  virtual void exchange_in_steps(const std::vector<Step>& steps, [[maybe_unused]] int at_once) {
    for (const Step& step : steps) {
      exchange(step.in, step.out);
      if (step.then) step.then();
    }
  }
};

/// An exchange that its caller describes.
struct Job {
  std::string form;  ///< What all ranks must have alike: kind and sizes, as text.
  /// Payload that a worker sends if each is alone on its host.
  double bytes_sent_per_worker = 0;
  std::shared_ptr<const Mixing> mixing = {};  ///< Whose rows reach whom; null: everyone's.
  /// Runs once, on some thread; all ranks call the same collectives in the same order.
  std::function<void(Channel&)> run;
};

/// The processes that train together, and how the rows of their workers are combined. Knows nothing
/// of learning.
///
/// A process hosts local_workers() workers; their rows are numbered first_worker(), first_worker()
/// + 1, ... among the workers() of all processes. Every member must make the same calls in the same
/// order. Calls come from one thread.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int rank() const = 0;  ///< This process, from 0.
  virtual int size() const = 0;  ///< Processes.
  virtual int local_workers() const = 0;
  Members members() const { return {rank(), size(), local_workers()}; }
  int workers() const { return members().workers(); }
  int first_worker() const { return members().first_worker(); }

  /// Counts the changes of membership; fixed membership stays at 0.
  virtual std::int64_t epoch() const { return 0; }

  /// Starts averaging the rows of all workers, each with weight 1/n, and returns at once.
  /// `rows` [local_workers(), m], float32 or float64, is only read and must stay as it is until
  /// wait(); `mean` [1, m], contiguous, of the same type, holds the result after wait(). The two
  /// must not overlap (but see averages_in_place()).
  virtual std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) = 0;

  /// Starts mixing the rows of all workers and returns at once: row i of `mixed` becomes the sum of
  /// weight x row over the terms of worker first_worker() + i, in double, rounded once. `rows` and
  /// `mixed` [local_workers(), m] are as in launch_mean. REQUIRES: `mixing` has a row for each of
  /// the workers() and is the same in every process.
  virtual std::unique_ptr<Exchange> launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                               std::shared_ptr<const Mixing> mixing) = 0;

  /// Starts a job and returns at once; wait() blocks until it is over.
  virtual std::unique_ptr<Exchange> launch(Job job) = 0;

  /// Seconds on the clock that waiting is counted by. On any thread.
  virtual double now() const { return seconds_of(std::chrono::steady_clock::now()); }

  /// Whether launch_mean may have `mean` be `rows` themselves, which then are lost if it fails:
  /// saves a copy of what is not needed any more.
  virtual bool averages_in_place() const { return false; }

  /// Bytes from which a part of a mean goes as fast, byte for byte, as the whole: gradients leave
  /// in such parts while backward still runs. Alike in all processes; nothing where a mean is best
  /// left whole.
  virtual std::optional<std::int64_t> bucket_bytes() const { return {}; }

  /// For means of one quantity that moves little from one to the next, to be launched by it in
  /// place of launch_mean(). Null: messages travel as they are. Alike in all processes.
  virtual std::shared_ptr<LosslessMean> lossless_mean() const { return {}; }

  /// Tells the others that this process gives up, so that they need not wait for it. Does not
  /// block.
  virtual void abandon() noexcept {}

  /// The bytes that each process gave, in the order of ranks. Blocks. For small things: agreement,
  /// hashes.
  virtual std::vector<std::string> gather(const std::string& bytes) = 0;

  /// Bytes that this process handed to its transport so far, headers of ours included; 0 within a
  /// process.
  virtual std::int64_t wire_bytes_sent() const = 0;
};

/// States what a launch requires of its arguments; the result has `result_rows` rows.
void check_exchange(const at::Tensor& rows, const at::Tensor& result, int local_workers,
                    int result_rows);

}  // namespace entrain
