#include "entrain/comm/pairwise.h"

#include <ATen/ATen.h>

#include "entrain/comm/sum.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

constexpr std::int64_t kPart = 256 << 10;  // bytes that are not cut

}  // namespace

std::vector<int> peers_in_turn(int rank, int size, int step) {
  std::vector<int> peers;
  for (int turn = 1; turn < size; ++turn)
    peers.push_back((rank + step * turn + size * size) % size);
  return peers;
}

GlooWork Pairwise::keep(GlooWork work) {
  const std::lock_guard guard(lock_);
  pending_.push_back(work);
  if (aborted_) work->abort();
  return work;
}

template <class Post>
Pairwise::Receipt Pairwise::post(const std::vector<Piece>& pieces, Post one) {
  Receipt works;
  for (const Piece& piece : pieces) {
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
  return post(pieces, [this](std::vector<at::Tensor>& part, int peer, int tag) {
    return group_->recv(part, peer, tag);
  });
}

void Pairwise::send(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    bytes_sent_ += static_cast<std::int64_t>(piece.values.nbytes());
  }
  wait(post(pieces, [this](std::vector<at::Tensor>& part, int peer, int tag) {
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
  for (int peer : peers_in_turn(members.rank, members.size, -1)) {
    chunks_in.push_back({peer, in[peer]});
    means_in.push_back({peer, chunk(mean, peer)});
  }
  for (int peer : peers_in_turn(members.rank, members.size, 1)) {
    chunks_out.push_back({peer, chunk(own, peer)});
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
