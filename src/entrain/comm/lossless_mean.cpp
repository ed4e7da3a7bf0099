#include "entrain/comm/lossless_mean.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "entrain/comm/direct_mean.h"
#include "entrain/comm/lossless.h"
#include "entrain/comm/metered.h"
#include "entrain/comm/sum.h"

namespace entrain {
namespace {

constexpr std::int64_t kWorthCoding = 64 << 10;  // bytes of a row, measured (docs/results/comm.md)
constexpr double kWorthKeeping = 0.9;            // of the bytes
constexpr int kPlain = 30;                       // exchanges between two tries

// Sizes of messages are few, as each of them has a tag of its own over long links (pairwise.h).
constexpr std::int64_t kSizes = 128;

// What `values` [k] differ in from `expected` [k], as bytes.
at::Tensor code_of(const at::Tensor& values, const at::Tensor& expected) {
  const std::int64_t count = values.numel();
  const std::int64_t most = most_lossless_bytes(count, values.element_size());
  const at::Tensor code = at::empty({most}, at::kByte);
  auto* const bytes = code.data_ptr<std::uint8_t>();
  std::int64_t written = 0;
  AT_DISPATCH_FLOATING_TYPES(values.scalar_type(), "code_of", [&] {
    written =
        encode_lossless(values.data_ptr<scalar_t>(), expected.data_ptr<scalar_t>(), count, bytes);
  });
  const std::int64_t unit = most / kSizes + 1;
  const std::int64_t size = std::min(most, (written + unit - 1) / unit * unit);
  std::fill(bytes + written, bytes + size, std::uint8_t{0});
  return code.narrow(0, 0, size);
}

void decode(const at::Tensor& code, const at::Tensor& expected, const at::Tensor& values) {
  AT_DISPATCH_FLOATING_TYPES(values.scalar_type(), "decode", [&] {
    decode_lossless(code.data_ptr<std::uint8_t>(), code.numel(), expected.data_ptr<scalar_t>(),
                    values.numel(), values.data_ptr<scalar_t>());
  });
}

// What the others sent, by rank, and a number that each process said.
struct Received {
  std::vector<at::Tensor> codes;
  double said = 0;  // the sum of all

  double bytes() const {
    double sum = 0;
    for (const at::Tensor& code : codes)
      sum += code.defined() ? static_cast<double>(code.numel()) : 0;
    return sum;
  }
};

// Sends `codes[p]` to process p. Sizes go first, and the number `say` with them.
Received exchange_codes(Channel& channel, int rank, const std::vector<at::Tensor>& codes,
                        double say) {
  const auto processes = static_cast<int>(codes.size());
  const at::Tensor heads = at::empty({processes, 2}, at::kDouble);
  std::vector<Piece> heads_in, heads_out, in, out;
  for (int peer = 0; peer < processes; ++peer) {
    if (peer == rank) continue;
    const auto size = static_cast<double>(codes[peer].numel());
    heads_in.push_back({peer, heads[peer]});
    heads_out.push_back({peer, at::tensor({size, say}, at::kDouble)});
    out.push_back({peer, codes[peer]});
  }
  channel.exchange(heads_in, heads_out);
  Received received = {std::vector<at::Tensor>(processes), say};
  for (const Piece& head : heads_in) {
    received.said += head.values[1].item<double>();
    received.codes[head.peer] = at::empty({head.values[0].item<std::int64_t>()}, at::kByte);
    in.push_back({head.peer, received.codes[head.peer]});
  }
  channel.exchange(in, out);
  return received;
}

}  // namespace

std::unique_ptr<Exchange> LosslessMean::launch(Communicator& comm, const at::Tensor& rows,
                                               const at::Tensor& mean) {
  const auto bytes = static_cast<std::int64_t>(mean.nbytes());
  if (comm.size() == 1 || bytes < kWorthCoding || plain_ > 0) {
    plain_ = std::max(0, plain_ - 1);
    return comm.launch_mean(rows, mean);
  }
  check_exchange(rows, mean, comm.local_workers(), 1);
  return comm.launch(
      {.form = form_of(sums_ == Sums::fast ? "lossless sum" : "lossless reproducible sum", rows),
       .bytes_sent_per_worker = everyone_bytes(comm.workers(), static_cast<double>(bytes)),
       .run = [self = shared_from_this(), members = comm.members(), rows, mean](Channel& channel) {
         const at::NoGradGuard no_grad;
         self->average(channel, members, rows, mean);
       }});
}

void LosslessMean::average(Channel& channel, const Members& members, const at::Tensor& rows,
                           const at::Tensor& mean) {
  if (!last_.defined()) {
    direct_mean(channel, members, rows, sums_, mean);
    last_ = mean.clone();
  } else if (coded_mean(channel, members, rows, mean) <= kWorthKeeping) {
    last_.copy_(mean);
  } else {
    last_.reset();
    plain_ = kPlain;
  }
}

// The steps of direct_mean(), coded. Returns the bytes that all processes sent, beside those that
// they would have sent plain.
double LosslessMean::coded_mean(Channel& channel, const Members& members, const at::Tensor& rows,
                                const at::Tensor& mean) const {
  const int processes = members.size, rank = members.rank;
  const auto chunk = [&](const at::Tensor& row, int process) {
    return chunk_of(row, process, processes);
  };
  const at::Tensor own = own_sum(rows, sums_), share = chunk(mean, rank);
  const at::Tensor expected =
      members.local_workers == 1 ? last_ : last_.to(own.scalar_type()).mul(members.local_workers);
  std::vector<at::Tensor> codes(processes);
  for (int peer = 0; peer < processes; ++peer) {
    if (peer != rank) codes[peer] = code_of(chunk(own, peer), chunk(expected, peer));
  }
  const Received there = exchange_codes(channel, rank, codes, 0);
  const at::Tensor chunks = at::empty({processes, share.numel()}, own.options());
  for (int peer = 0; peer < processes; ++peer) {
    if (peer == rank) {
      chunks[peer].copy_(chunk(own, peer)[0]);
    } else {
      decode(there.codes[peer], chunk(expected, rank), chunks[peer]);
    }
  }
  tree_mean(chunks, 0, share.numel(), members.workers(), share);
  std::fill(codes.begin(), codes.end(), code_of(share, chunk(last_, rank)));
  const double others = processes - 1;
  const Received back = exchange_codes(
      channel, rank, codes, there.bytes() + others * static_cast<double>(codes[0].numel()));
  for (int peer = 0; peer < processes; ++peer) {
    if (peer != rank) decode(back.codes[peer], chunk(last_, peer), chunk(mean, peer));
  }
  return back.said / (others * static_cast<double>(own.nbytes() + mean.nbytes()));
}

}  // namespace entrain
