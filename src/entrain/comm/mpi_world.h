#pragma once

#include <mpi.h>

#include <atomic>
#include <chrono>

#include "entrain/comm/mpi_notes.h"
#include "entrain/comm/queue.h"

namespace entrain {

/// This process's part in the world of MPI: the thread that makes all its calls, and what it calls
/// with. Lives to the end of the process, and ends MPI there.
class MpiWorld {
 public:
  /// The one of this process; starts it at the first call. Blocks until all processes have arrived.
  /// Throws CommunicationError after the timeout, Interrupted upon Ctrl-C. `patience`: how long
  /// others may give no sign of life while this process waits for them to end, too.
  static MpiWorld& join(std::chrono::milliseconds timeout, std::chrono::milliseconds patience);

  int rank() const { return rank_; }
  int size() const { return size_; }
  int highest_tag() const { return highest_tag_; }
  int next_communicator() { return ++communicators_; }

  /// Runs a job on the thread, after those before it. Between jobs it answers the others' notes.
  std::future<void> push(std::function<void()> job) { return queue_.push(std::move(job)); }

  /// The process will end by MPI_Abort: an exchange is left unfinished.
  void give_up() { broken_ = true; }

  /// On the thread only.
  MPI_Comm comm() const { return comm_; }
  MpiNotes& notes() { return notes_; }

 private:
  MpiWorld();
  void listen() noexcept;
  static void end(int status, void*);
  void start();
  void leave(int status);
  std::set<int> left() const;

  std::chrono::milliseconds patience_{60'000};
  std::atomic<bool> started_{false}, broken_{false};
  int rank_ = 0, size_ = 1, highest_tag_ = 0, communicators_ = 0;
  MPI_Comm comm_ = MPI_COMM_NULL;
  MpiNotes notes_;
  std::thread::id thread_;
  Queue queue_;
};

/// Throws CommunicationError if a call of MPI failed.
void require_mpi_success(int code, const char* call);

}  // namespace entrain
