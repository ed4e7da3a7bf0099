#include "entrain/comm/pairwise.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <iterator>

#include "entrain/comm/sum.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

constexpr std::int64_t kPart = 256 << 10;  // bytes that are not cut

std::vector<Piece> of_peer(const std::vector<Piece>& pieces, int peer) {
  std::vector<Piece> own;
  std::ranges::copy_if(pieces, std::back_inserter(own),
                       [peer](const Piece& piece) { return piece.peer == peer; });
  return own;
}

// The pieces of others, those of the peer first who is `step` away, then two steps, ...
std::vector<Piece> in_turn(const std::vector<Piece>& pieces, int rank, int size, int step) {
  std::vector<Piece> others;
  for (int turn = 1; turn < size; ++turn) {
    const std::vector<Piece> one = of_peer(pieces, (rank + step * turn + size) % size);
    others.insert(others.end(), one.begin(), one.end());
  }
  return others;
}

}  // namespace

void Pairwise::exchange(const std::vector<Piece>& in, const std::vector<Piece>& out) {
  const Receipt receipt = receive(in);
  send(out);
  const std::vector<Piece> from = of_peer(out, group_->getRank());
  const std::vector<Piece> to = of_peer(in, group_->getRank());
  ENTRAIN_CHECK(from.size() == to.size());
  for (std::size_t k = 0; k < to.size(); ++k) to[k].values.copy_(from[k].values);
  wait(receipt);
}

GlooWork Pairwise::keep(GlooWork work) {
  const std::lock_guard guard(lock_);
  pending_.push_back(work);
  if (aborted_) work->abort();
  return work;
}

template <class Post>
Pairwise::Receipt Pairwise::post(const std::vector<Piece>& pieces, int step, Post one) {
  Receipt works;
  for (const Piece& piece : in_turn(pieces, group_->getRank(), group_->getSize(), step)) {
    const auto bytes = static_cast<std::int64_t>(piece.values.nbytes());
    if (bytes == 0) continue;
    const std::vector<at::Tensor> parts =
        piece.values.view({-1}).chunk(bytes > kPart ? connections_ : 1);
    for (std::size_t tag = 0; tag < parts.size(); ++tag) {
      std::vector<at::Tensor> part = {parts[tag]};
      works.push_back(keep(one(part, piece.peer, static_cast<int>(tag))));
    }
  }
  return works;
}

Pairwise::Receipt Pairwise::receive(const std::vector<Piece>& pieces) {
  return post(pieces, -1, [this](std::vector<at::Tensor>& part, int peer, int tag) {
    return group_->recv(part, peer, tag);
  });
}

void Pairwise::send(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    if (piece.peer == group_->getRank()) continue;
    bytes_sent_ += static_cast<std::int64_t>(piece.values.nbytes());
  }
  wait(post(pieces, 1, [this](std::vector<at::Tensor>& part, int peer, int tag) {
    return group_->send(part, peer, tag);
  }));
}

void Pairwise::wait(const Receipt& receipt) {
  for (const GlooWork& work : receipt) {
    if (!work->wait()) throw CommunicationError("a peer was lost");
    const std::lock_guard guard(lock_);
    std::erase(pending_, work);
  }
}

void Pairwise::abort() noexcept {
  const std::lock_guard guard(lock_);
  aborted_ = true;
  for (const GlooWork& work : pending_) work->abort();
  pending_.clear();
}

void direct_mean(Pairwise& pairs, const Members& members, const at::Tensor& own,
                 const at::Tensor& mean) {
  const std::int64_t columns = mean.size(1);
  const std::int64_t width = (columns + members.size - 1) / members.size;
  const auto chunk = [&](const at::Tensor& row, int process) {
    const std::int64_t begin = std::min(columns, process * width);
    return row.narrow(1, begin, std::min(columns, begin + width) - begin);
  };
  const at::Tensor share = chunk(mean, members.rank);
  at::Tensor in = at::empty({members.size, share.size(1)}, own.options());
  std::vector<Piece> chunks_in, chunks_out, means_in, means_out;
  for (int peer = 0; peer < members.size; ++peer) {
    if (peer == members.rank) continue;
    chunks_in.push_back({peer, in[peer]});
    chunks_out.push_back({peer, chunk(own, peer)});
    means_in.push_back({peer, chunk(mean, peer)});
    means_out.push_back({peer, share});
  }
  const Pairwise::Receipt chunks = pairs.receive(chunks_in), means = pairs.receive(means_in);
  pairs.send(chunks_out);
  in[members.rank].copy_(chunk(own, members.rank)[0]);
  pairs.wait(chunks);
  tree_mean(in, 0, share.size(1), members.workers(), share);
  pairs.send(means_out);
  pairs.wait(means);
}

}  // namespace entrain
