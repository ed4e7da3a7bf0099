#include "entrain/comm/mpi_world.h"

#include <sys/prctl.h>

#include <cstdlib>

#include "entrain/comm/lost_peer.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"

namespace entrain {
namespace {

using Clock = std::chrono::steady_clock;

// How long a process that failed stays, for the others to hear of it and to say so themselves:
// MPI_Abort ends them all.
constexpr std::chrono::seconds kParting(3);

}  // namespace

void require_mpi_success(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = {};
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw CommunicationError(fmt::format("{} failed: {}", call, text));
}

MpiWorld& MpiWorld::join(std::chrono::milliseconds timeout, std::chrono::milliseconds patience) {
  // Otherwise Open MPI asks the receiver before each large message over TCP, which takes 1.5 x as
  // long where several meet (docs/results/comm.md). What the user has set stays.
  setenv("OMPI_MCA_btl_tcp_flags", "1", 0);
  static auto* const world = new MpiWorld;  // never destroyed: end() may come later
  static const std::shared_future<void> started = world->push([patience] {
    world->patience_ = patience;
    world->start();
  });
  const auto deadline = Clock::now() + timeout;
  while (started.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
    if (interrupted()) throw Interrupted("interrupted while MPI looked for the other ranks");
    if (Clock::now() < deadline) continue;
    throw CommunicationError(fmt::format(
        "MPI_Init: not all ranks arrived within {} s; look at the output of the others, and start "
        "all ranks within that time (comm.join_timeout)",
        static_cast<double>(timeout.count()) / 1000));
  }
  started.get();
  return *world;
}

MpiWorld::MpiWorld() : queue_([this] { listen(); }) {}

// While the process computes, for those who wait for it. What fails here fails in the next
// exchange.
void MpiWorld::listen() noexcept {
  try {
    notes_.read();
  } catch (const std::exception&) {
  }
}

void MpiWorld::start() {
  prctl(PR_SET_TIMERSLACK, 1000);  // ns; the pauses of Backoff are short
  thread_ = std::this_thread::get_id();
  int provided = MPI_THREAD_SINGLE;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  started_ = true;
  on_exit(&MpiWorld::end, this);
  if (provided < MPI_THREAD_FUNNELED) {
    throw UsageError("this MPI may not be called on a thread of its own (MPI_THREAD_FUNNELED)");
  }
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  require_mpi_success(MPI_Comm_dup(MPI_COMM_WORLD, &comm_), "MPI_Comm_dup");
  notes_.start(comm_);
  MPI_Comm_rank(comm_, &rank_);
  MPI_Comm_size(comm_, &size_);
  int* highest = nullptr;
  int found = 0;
  MPI_Comm_get_attr(comm_, MPI_TAG_UB, &highest, &found);
  highest_tag_ = found ? *highest : 32767;  // the least that MPI allows
}

// By exit(), once main has said what was wrong.
void MpiWorld::end(int status, void* self) {
  auto& world = *static_cast<MpiWorld*>(self);
  if (std::this_thread::get_id() == world.thread_) return;  // MPI itself ends the process
  world.push([&world, status] { world.leave(status); }).wait();
}

// All end together: an MPI_Abort while another process is in MPI_Finalize can leave mpirun waiting.
void MpiWorld::leave(int status) {
  bool whole = status == 0 && !broken_ && notes_.whole();
  try {
    if (!whole) notes_.tell({MpiNote::Kind::gave_up});
    notes_.tell({MpiNote::Kind::leaving});
    MpiRollCall roll(notes_, patience_);
    auto deadline = Clock::now() + kParting;
    for (std::set<int> others = left(); !others.empty(); others = left()) {
      notes_.read();
      const std::set<int> silent = whole ? roll.silent(others) : std::set<int>();
      if (!silent.empty()) {
        fmt::print(stderr, "entrain: rank {} at its end: no word from {}: {}\n", rank_,
                   print_ranks(silent), print_silence(patience_));
      }
      if (whole) deadline = Clock::now() + kParting;
      whole = whole && silent.empty() && notes_.whole();
      if (Clock::now() > deadline) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  } catch (const std::exception&) {
    whole = false;
  }
  notes_.end();
  if (whole) {
    MPI_Finalize();
  } else {
    MPI_Abort(MPI_COMM_WORLD, status == 0 ? 1 : status);
  }
}

// The others that are not about to end.
std::set<int> MpiWorld::left() const {
  std::set<int> ranks;
  for (int rank = 0; rank < size_; ++rank) {
    if (rank != rank_ && !notes_.leaving().contains(rank)) ranks.insert(rank);
  }
  return ranks;
}

}  // namespace entrain
