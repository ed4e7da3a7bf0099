#include "entrain/comm/pairwise.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "entrain/comm/pieces.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

constexpr std::int64_t kPart = 32 << 10;  // bytes; measured, as is the next (docs/results/comm.md)
constexpr int kAsked = 12;                // parts at a time
constexpr std::int64_t kWhole = 128 << 10;  // bytes that one connection takes, over long links

constexpr std::int64_t kSmall = 1 << 20;      // bytes; what is asked for ahead, at most
constexpr std::int64_t kAllAhead = 64 << 20;  // bytes of all kinds: of sizes that vary, the first
constexpr std::size_t kAhead = 4;             // of a kind: two exchanges of a mean's two phases

// Small messages of each size have a tag of their own: the next one of that size is the answer to
// the question that was asked ahead, whatever came between. The connection is the tag's remainder.
int tag_of(std::int64_t bytes, int connection, const Pacing& pacing) {
  const bool own = !pacing.in_turn && bytes <= kSmall;
  return static_cast<int>(own ? bytes : 0) * pacing.connections + connection;
}

Pairwise::Parts cut(const std::vector<Piece>& pieces, const Pacing& pacing) {
  Pairwise::Parts parts;
  for (const Piece& piece : pieces) {
    const at::Tensor& all = piece.values;
    if (all.numel() == 0) continue;
    const bool large = static_cast<std::int64_t>(all.nbytes()) > kWhole;
    const std::vector<at::Tensor> tensors =
        pacing.in_turn ? all.view({-1}).split(kPart / all.element_size())
                       : all.view({-1}).chunk(large ? pacing.connections : 1);
    int connection = 0;
    for (const at::Tensor& part : tensors) {
      const int tag = tag_of(static_cast<std::int64_t>(part.nbytes()),
                             connection++ % pacing.connections, pacing);
      parts.push_back(std::make_shared<Pairwise::Part>(Pairwise::Part{piece.peer, tag, part}));
    }
  }
  return parts;
}

}  // namespace

// The parts of others, one of each peer in turn, beginning with the peer who is `step` away: no two
// processes begin with the same one.
Pairwise::Parts Pairwise::parts_of(const std::vector<Piece>& pieces, int step) const {
  const int rank = group_->getRank(), size = group_->getSize();
  std::vector<Parts> by_turn;
  std::size_t most = 0;
  for (int turn = 1; turn < size; ++turn) {
    by_turn.push_back(cut(pieces_of(pieces, (rank + step * turn + size) % size), pacing_));
    most = std::max(most, by_turn.back().size());
  }
  Parts parts;
  for (std::size_t k = 0; k < most; ++k) {
    for (const Parts& one : by_turn) {
      if (k < one.size()) parts.push_back(one[k]);
    }
  }
  return parts;
}

void Pairwise::exchange(const std::vector<Step>& steps) {
  std::vector<Parts> receipts;
  for (const Step& step : steps) receipts.push_back(receive(step.in));
  for (std::size_t i = 0; i < steps.size(); ++i) {
    copy_own(steps[i], group_->getRank());
    send(steps[i].out, receipts[i]);
    if (steps[i].then) steps[i].then();
  }
}

// Returns at once. What is received is waited for in its order, in send().
Pairwise::Parts Pairwise::receive(const std::vector<Piece>& pieces) {
  Parts receipt = parts_of(pieces, -1);
  unasked_.insert(unasked_.end(), receipt.begin(), receipt.end());
  ask_for_more();
  return receipt;
}

void Pairwise::ask_for_more() {
  const int most =
      pacing_.in_turn ? std::max(kAsked, group_->getSize() - 1) : std::numeric_limits<int>::max();
  for (; !unasked_.empty() && asked_ < most; ++asked_) {
    ask(*unasked_.front());
    unasked_.pop_front();
  }
}

void Pairwise::ask(Part& part) {
  Kind* const kind = kind_of(part);
  if (!kind || kind->asked.empty()) {
    part.work = receive_into(part.values, part.peer, part.tag);
    return;
  }
  part.work = kind->asked.front().work;
  part.early = kind->asked.front().values;
  kind->asked.pop_front();
}

GlooWork Pairwise::receive_into(const at::Tensor& values, int peer, int tag) {
  std::vector<at::Tensor> message = {values};
  return keep(group_->recv(message, peer, tag));
}

// Null: it is not asked for ahead. A size that comes for the first time may not come again.
Pairwise::Kind* Pairwise::kind_of(const Part& part) {
  const auto bytes = static_cast<std::int64_t>(part.values.nbytes());
  if (pacing_.in_turn || bytes > kSmall) return nullptr;
  const auto known = kinds_.find({part.peer, part.tag});
  if (known != kinds_.end()) return &known->second;
  if (seen_.emplace(part.peer, part.tag).second) return nullptr;
  const auto more = static_cast<std::int64_t>(kAhead) * bytes;
  if (ahead_bytes_ + more > kAllAhead) return nullptr;
  ahead_bytes_ += more;
  return &kinds_.emplace(std::pair(part.peer, part.tag), Kind{bytes}).first->second;
}

// Once nothing is awaited, as these questions stand behind all others. A peer that is gone may have
// ended well: if not, the next exchange finds out.
void Pairwise::ask_ahead() {
  try {
    for (auto& [from, kind] : kinds_) {
      while (kind.asked.size() < kAhead) {
        const at::Tensor values = at::empty({kind.bytes}, at::kByte);
        const GlooWork work = receive_into(values, from.first, from.second);
        kind.asked.push_back({from.first, from.second, values, work});
      }
    }
  } catch (const std::exception&) {
  }
}

void Pairwise::send(const std::vector<Piece>& pieces, const Parts& receipt) {
  const Parts parts = parts_of(pieces, 1);
  for (const auto& part : parts) {
    std::vector<at::Tensor> message = {part->values};
    bytes_sent_ += static_cast<std::int64_t>(part->values.nbytes());
    part->work = keep(group_->send(message, part->peer, part->tag));
  }
  for (const auto& part : receipt) {
    wait(part->work);
    if (part->early.defined()) {
      std::memcpy(part->values.data_ptr(), part->early.data_ptr(), part->values.nbytes());
    }
    --asked_;
    ask_for_more();
  }
  for (const auto& part : parts) wait(part->work);
  if (asked_ == 0) ask_ahead();
}

GlooWork Pairwise::keep(GlooWork work) {
  const std::lock_guard guard(lock_);
  pending_.push_back(work);
  if (aborted_) work->abort();
  return work;
}

void Pairwise::wait(const GlooWork& work) {
  if (!work->wait()) throw CommunicationError("a peer was lost");
  const std::lock_guard guard(lock_);
  const auto found = std::ranges::find(pending_, work);
  if (found != pending_.end()) pending_.erase(found);
}

void Pairwise::abort() noexcept {
  const std::lock_guard guard(lock_);
  aborted_ = true;
  for (const GlooWork& work : pending_) work->abort();
  pending_.clear();
}

}  // namespace entrain
