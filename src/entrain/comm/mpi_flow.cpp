#include "entrain/comm/mpi_flow.h"

#include <algorithm>

#include "entrain/comm/mpi_world.h"
#include "entrain/comm/pieces.h"

namespace entrain {
namespace {

// Measured (docs/results/comm.md). In bytes: of a part in turn, and where all go at once.
constexpr std::int64_t kPartInTurn = 128 << 10, kPartAtOnce = 1 << 20;
constexpr std::size_t kUnderWay = 12;  // parts in turn

}  // namespace

void MpiFlow::add(const std::vector<Piece>& pieces, int turn) {
  std::vector<Piece> by_turn;
  for (int away = 1; away < size_; ++away) {
    const auto of_peer = pieces_of(pieces, (rank_ + turn * away + size_) % size_);
    by_turn.insert(by_turn.end(), of_peer.begin(), of_peer.end());
  }
  const std::int64_t most = paced_ ? kPartInTurn : kPartAtOnce;
  const std::size_t before = parts_.size();
  bool more = true;
  for (std::int64_t at = 0; more; at += most) {
    more = false;
    for (const Piece& piece : by_turn) {
      const auto left = static_cast<std::int64_t>(piece.values.nbytes()) - at;
      if (left <= 0) continue;
      more = more || left > most;
      parts_.push_back({static_cast<char*>(piece.values.data_ptr()) + at,
                        static_cast<int>(std::min(left, most)), piece.peer, left_.size()});
    }
  }
  left_.push_back(parts_.size() - before);
}

void MpiFlow::begin() {
  for (; next_ < parts_.size() && (!paced_ || requests_.size() < kUnderWay); ++next_) {
    part_of_request_.push_back(next_);
    require_mpi_success(begin_(parts_[next_], &requests_.emplace_back(MPI_REQUEST_NULL)),
                        "a message of MPI");
  }
}

std::set<int> MpiFlow::peers() const {
  std::set<int> peers;
  for (const std::size_t part : part_of_request_) peers.insert(parts_[part].peer);
  for (std::size_t part = next_; part < parts_.size(); ++part) peers.insert(parts_[part].peer);
  return peers;
}

bool MpiFlow::advance() {
  begin();
  indices_.resize(requests_.size());
  int count = 0;
  require_mpi_success(MPI_Testsome(static_cast<int>(requests_.size()), requests_.data(), &count,
                                   indices_.data(), MPI_STATUSES_IGNORE),
                      "an exchange of MPI");
  if (count == MPI_UNDEFINED || count == 0) return false;
  for (int k = 0; k < count; ++k) --left_[parts_[part_of_request_[indices_[k]]].step];
  std::size_t kept = 0;
  for (std::size_t k = 0; k < requests_.size(); ++k) {
    if (requests_[k] == MPI_REQUEST_NULL) continue;
    part_of_request_[kept] = part_of_request_[k];
    requests_[kept++] = requests_[k];
  }
  requests_.resize(kept);
  part_of_request_.resize(kept);
  begin();
  return true;
}

}  // namespace entrain
