#include "entrain/comm/mpi_notes.h"

#include <algorithm>
#include <cstring>

#include "entrain/comm/lost_peer.h"
#include "entrain/comm/mpi_world.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

constexpr std::chrono::seconds kUntilAsked(1);

struct NoteHead {
  std::int64_t number;
  std::int32_t kind, communicator;
};

std::string bytes_of(const MpiNote& note) {
  const NoteHead head = {note.number, static_cast<std::int32_t>(note.kind), note.communicator};
  return std::string(reinterpret_cast<const char*>(&head), sizeof head) + note.text;
}

}  // namespace

void MpiNotes::start(MPI_Comm parent) {
  require_mpi_success(MPI_Comm_dup(parent, &comm_), "MPI_Comm_dup");
}

void MpiNotes::tell(const MpiNote& note) {
  int rank = 0, size = 1;
  MPI_Comm_rank(comm_, &rank);
  MPI_Comm_size(comm_, &size);
  for (int peer = 0; peer < size; ++peer) {
    if (peer != rank) send(peer, bytes_of(note));
  }
}

void MpiNotes::ask(const std::set<int>& ranks) {
  for (const int rank : ranks) send(rank, bytes_of({MpiNote::Kind::question}));
}

void MpiNotes::send(int rank, const std::string& bytes) {
  sent_.push_back({bytes, MPI_REQUEST_NULL});
  Sent& sent = sent_.back();
  require_mpi_success(MPI_Isend(sent.bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, rank,
                                0, comm_, &sent.request),
                      "MPI_Isend");
}

void MpiNotes::read() {
  if (comm_ == MPI_COMM_NULL) return;
  for (int over = 1; !sent_.empty() && over;) {
    require_mpi_success(MPI_Test(&sent_.front().request, &over, MPI_STATUS_IGNORE), "MPI_Test");
    if (over) sent_.pop_front();
  }
  for (;;) {
    int there = 0, length = 0;
    MPI_Status status;
    require_mpi_success(MPI_Iprobe(MPI_ANY_SOURCE, 0, comm_, &there, &status), "MPI_Iprobe");
    if (!there) return;
    MPI_Get_count(&status, MPI_BYTE, &length);
    std::string bytes(static_cast<std::size_t>(length), '\0');
    require_mpi_success(
        MPI_Recv(bytes.data(), length, MPI_BYTE, status.MPI_SOURCE, 0, comm_, MPI_STATUS_IGNORE),
        "MPI_Recv");
    take(status.MPI_SOURCE, bytes);
  }
}

MpiNotes::Clock::time_point MpiNotes::heard(int rank) const {
  const auto found = heard_.find(rank);
  return found == heard_.end() ? Clock::time_point::min() : found->second;
}

std::set<int> MpiNotes::gave_up(int communicator) const {
  std::set<int> ranks;
  for (const int each : {0, communicator}) {
    const auto found = gave_up_.find(each);
    if (found != gave_up_.end()) ranks.insert(found->second.begin(), found->second.end());
  }
  return ranks;
}

void MpiNotes::take(int rank, const std::string& bytes) {
  NoteHead head;
  ENTRAIN_CHECK(bytes.size() >= sizeof head);
  std::memcpy(&head, bytes.data(), sizeof head);
  heard_[rank] = Clock::now();
  switch (static_cast<MpiNote::Kind>(head.kind)) {
    case MpiNote::Kind::form:
      forms_[head.communicator][rank] = {head.number, bytes.substr(sizeof head)};
      break;
    case MpiNote::Kind::gave_up:
      gave_up_[head.communicator].insert(rank);
      break;
    case MpiNote::Kind::leaving:
      leaving_.insert(rank);
      break;
    case MpiNote::Kind::question:
      send(rank, bytes_of({MpiNote::Kind::answer}));
      break;
    case MpiNote::Kind::answer:
      break;
  }
}

std::set<int> MpiRollCall::silent(const std::set<int>& awaited) {
  const auto now = MpiNotes::Clock::now();
  if (now > called_ + kUntilAsked || (asked_ && *asked_ < moved_)) asked_.reset();
  called_ = now;
  if (now < std::max(moved_ + kUntilAsked, next_)) return {};
  next_ = now + patience_ / kSignsOfLife;
  std::set<int> silent;
  for (const int rank : awaited) {
    if (asked_ && std::max(*asked_, notes_.heard(rank)) + patience_ < now) silent.insert(rank);
  }
  if (!asked_) asked_ = now;
  notes_.ask(awaited);
  return silent;
}

}  // namespace entrain
