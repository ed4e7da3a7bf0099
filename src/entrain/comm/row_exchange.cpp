#include "entrain/comm/row_exchange.h"

#include <ATen/ATen.h>

#include <set>

#include "entrain/comm/sum.h"

namespace entrain {
namespace {

// The workers of process `from` whose rows process `to` takes.
std::vector<int> sent_to(int to, int from, int local_workers, const Mixing& mixing) {
  std::set<int> workers;
  if (to == from) return {};
  for (int i = to * local_workers; i < (to + 1) * local_workers; ++i) {
    for (const Mixing::Term& term : mixing.rows.at(i)) {
      if (term.worker / local_workers == from) workers.insert(term.worker);
    }
  }
  return {workers.begin(), workers.end()};
}

}  // namespace

std::vector<at::Tensor> exchange_rows(Channel& channel, const Members& members,
                                      const Mixing& mixing, const at::Tensor& rows) {
  const int size = members.size, rank = members.rank, local = members.local_workers;
  std::vector<at::Tensor> all(members.workers());
  for (int i = 0; i < local; ++i) all[members.first_worker() + i] = rows[i];
  std::vector<Piece> in, out;
  for (int other = 0; other < size; ++other) {
    for (int worker : sent_to(other, rank, local, mixing)) {
      out.push_back({other, rows[worker - members.first_worker()]});
    }
    for (int worker : sent_to(rank, other, local, mixing)) {
      all[worker] = at::empty({rows.size(1)}, rows.options());
      in.push_back({other, all[worker]});
    }
  }
  channel.exchange(in, out);
  return all;
}

void mix_rows(const Members& members, const Mixing& mixing, const std::vector<at::Tensor>& rows,
              std::int64_t begin, std::int64_t end, const at::Tensor& mixed) {
  for (int i = 0; i < members.local_workers; ++i) {
    std::vector<WeightedRow> terms;
    for (const Mixing::Term& term : mixing.rows.at(members.first_worker() + i)) {
      terms.push_back({rows[term.worker].data_ptr(), term.weight});
    }
    weighted_sum(terms, begin, end, mixed[i]);
  }
}

void mix(Channel& channel, const Members& members, const Mixing& mixing, const at::Tensor& rows,
         const at::Tensor& mixed) {
  if (mixed.numel() == 0) return;
  mix_rows(members, mixing, exchange_rows(channel, members, mixing, rows), 0, mixed.size(1), mixed);
}

}  // namespace entrain
