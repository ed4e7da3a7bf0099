#include "entrain/comm/ring_mean.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "entrain/comm/sum.h"

namespace entrain {
namespace {

constexpr int kRingParts = 4;  // of a chunk; measured (docs/results/comm.md)

at::Tensor part_of(const at::Tensor& row, int number, int count) {
  const std::int64_t columns = row.numel(), width = (columns + count - 1) / count;
  const std::int64_t begin = std::min(columns, number * width);
  return row.narrow(0, begin, std::min(columns, begin + width) - begin);
}

}  // namespace

void ring_mean(Channel& channel, const Members& members, const at::Tensor& rows,
               const at::Tensor& mean) {
  const int size = members.size, next = (members.rank + 1) % size;
  const int previous = (members.rank + size - 1) % size;
  at::Tensor own = rows;
  if (members.local_workers > 1) {
    own = at::empty_like(mean);
    tree_mean(rows, 0, rows.size(1), 1, own);
  }
  const auto part = [&](const at::Tensor& row, int chunk, int k) {
    return part_of(row[0], (chunk + 2 * size) % size * kRingParts + k, size * kRingParts);
  };
  std::vector<Step> sums, means;
  for (int step = 0; step < size - 1; ++step) {
    const int coming = members.rank - step - 1;
    for (int k = 0; k < kRingParts; ++k) {
      const at::Tensor sum = part(mean, coming, k), more = part(own, coming, k);
      sums.push_back({{{previous, sum}},
                      {{next, part(step == 0 ? own : mean, coming + 1, k)}},
                      [sum, more] { sum.add_(more); }});
      means.push_back(
          {{{previous, part(mean, coming + 1, k)}}, {{next, part(mean, coming + 2, k)}}});
    }
  }
  channel.exchange_in_steps(sums, kRingParts);
  for (int k = 0; k < kRingParts; ++k) part(mean, next, k).div_(members.workers());
  channel.exchange_in_steps(means, kRingParts);
}

}  // namespace entrain
