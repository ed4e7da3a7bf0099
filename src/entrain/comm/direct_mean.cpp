#include "entrain/comm/direct_mean.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "entrain/comm/sum.h"

namespace entrain {

at::Tensor own_sum(const at::Tensor& rows, Sums sums) {
  if (rows.size(0) == 1) return rows;
  const bool rounded = sums == Sums::fast;
  const at::Tensor sum = at::empty(
      {1, rows.size(1)}, rows.options().dtype(rounded ? rows.scalar_type() : at::kDouble));
  if (rounded) {
    tree_mean(rows, 0, rows.size(1), 1, sum);
  } else {
    tree_sum(rows, 0, rows.size(1), sum.data_ptr<double>());
  }
  return sum;
}

at::Tensor chunk_of(const at::Tensor& row, int process, int processes) {
  const std::int64_t columns = row.size(1), width = (columns + processes - 1) / processes;
  const std::int64_t begin = std::min(columns, process * width);
  return row.narrow(1, begin, std::min(columns, begin + width) - begin);
}

void direct_mean(Channel& channel, const Members& members, const at::Tensor& rows, Sums sums,
                 const at::Tensor& mean) {
  if (mean.numel() == 0) return;
  const auto chunk = [&](const at::Tensor& row, int process) {
    return chunk_of(row, process, members.size);
  };
  const at::Tensor own = own_sum(rows, sums), share = chunk(mean, members.rank);
  const at::Tensor chunks = at::empty({members.size, share.size(1)}, own.options());
  Step there, back;
  for (int peer = 0; peer < members.size; ++peer) {
    there.in.push_back({peer, chunks[peer]});
    there.out.push_back({peer, chunk(own, peer)[0]});
    if (peer == members.rank) continue;
    back.in.push_back({peer, chunk(mean, peer)});
    back.out.push_back({peer, share});
  }
  there.then = [&] { tree_mean(chunks, 0, share.size(1), members.workers(), share); };
  channel.exchange_in_steps({there, back}, 1);
}

}  // namespace entrain
