#include "entrain/comm/lossless_mean.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "entrain/comm/direct_mean.h"
#include "entrain/comm/lossless_code.h"
#include "entrain/comm/metered.h"
#include "entrain/comm/sum.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

using Rooms = LosslessMean::Rooms;

constexpr std::int64_t kWorthCoding = 64 << 10;  // bytes of a row
constexpr double kWorthKeeping = 0.9;            // of the bytes
constexpr int kPlain = 30;                       // means without a try

// Parts of the most that a code may have, in which rooms are counted, and how many of them may stay
// empty before a room shrinks.
constexpr std::int64_t kParts = 64, kFewParts = 16, kSpare = 2;

std::int64_t most_bytes(const at::Tensor& values) {
  return most_lossless_bytes(values.numel(), values.element_size());
}

// For the next code, where the last one had so many bytes and that room: a little more.
std::int64_t room_for(std::int64_t bytes, std::int64_t most, std::int64_t room, bool few_sizes) {
  const std::int64_t part = most / (few_sizes ? kFewParts : kParts) + 1;
  if (bytes <= room && room <= bytes + kSpare * part) return room;
  return std::min(most, ((bytes + bytes / kParts) / part + 1) * part);
}

// Where no codes have come yet. `own`: what is averaged.
std::vector<Rooms> first_rooms(const at::Tensor& own, const at::Tensor& mean, int processes) {
  std::vector<Rooms> rooms;
  for (int p = 0; p < processes; ++p) {
    rooms.push_back({most_bytes(chunk_of(own, p, processes)) * 3 / 4,
                     most_bytes(chunk_of(mean, p, processes)) * 3 / 4});
  }
  return rooms;
}

// What goes before a code. All processes learn the last two from everyone, on the way back.
struct Head {
  std::int64_t bytes;          // of the code
  std::int64_t longest_there;  // of the codes that came to the sender
  std::int64_t there;          // bytes that came to it
};

// A code on its way. It has some room in a message, whose size all know before; what does not fit
// goes in another one.
class Letter {
 public:
  Letter(std::int64_t most, std::int64_t room)
      : bytes_(at::empty({kBegin + most}, at::kByte)), room_(room) {}

  std::uint8_t* code() const { return bytes_.data_ptr<std::uint8_t>() + kBegin; }
  Head head() const {
    Head head;
    std::memcpy(&head, bytes_.data_ptr(), sizeof head);
    return head;
  }
  // The code has been written; nothing else of the memory is sent.
  void seal(const Head& head) const {
    std::memcpy(bytes_.data_ptr(), &head, sizeof head);
    if (head.bytes < room_) std::fill(code() + head.bytes, code() + room_, std::uint8_t{0});
  }
  at::Tensor message() const { return bytes_.narrow(0, 0, kBegin + room_); }
  at::Tensor rest() const { return bytes_.narrow(0, kBegin + room_, rest_bytes()); }
  std::int64_t sent() const { return kBegin + room_ + rest_bytes(); }

 private:
  static constexpr std::int64_t kBegin = sizeof(Head);
  std::int64_t rest_bytes() const { return std::max<std::int64_t>(0, head().bytes - room_); }

  at::Tensor bytes_;
  std::int64_t room_;
};

using Letters = std::map<int, Letter>;  // by process

// What `values` [1, k] differ in from `expected` [1, k].
Letter letter_of(const at::Tensor& values, const at::Tensor& expected, std::int64_t room,
                 Head head = {}) {
  const Letter letter(most_bytes(values), room);
  AT_DISPATCH_FLOATING_TYPES(values.scalar_type(), "letter_of", [&] {
    head.bytes = encode_lossless(values.data_ptr<scalar_t>(), expected.data_ptr<scalar_t>(),
                                 values.numel(), letter.code());
  });
  letter.seal(head);
  return letter;
}

void decode(const Letter& letter, const at::Tensor& expected, const at::Tensor& values) {
  AT_DISPATCH_FLOATING_TYPES(values.scalar_type(), "decode", [&] {
    decode_lossless(letter.code(), letter.head().bytes, expected.data_ptr<scalar_t>(),
                    values.numel(), values.data_ptr<scalar_t>());
  });
}

void exchange(Channel& channel, const Letters& in, const Letters& out) {
  const auto pieces = [](const Letters& letters, at::Tensor (Letter::*part)() const) {
    std::vector<Piece> all;
    for (const auto& [peer, letter] : letters) all.push_back({peer, (letter.*part)()});
    return all;
  };
  channel.exchange(pieces(in, &Letter::message), pieces(out, &Letter::message));
  channel.exchange(pieces(in, &Letter::rest), pieces(out, &Letter::rest));
}

// What the others have of the columns that this process averages.
Letters collect(Channel& channel, int rank, const at::Tensor& own, const at::Tensor& expected,
                const std::vector<Rooms>& rooms) {
  const auto processes = static_cast<int>(rooms.size());
  Letters out, in;
  for (int peer = 0; peer < processes; ++peer) {
    if (peer == rank) continue;
    out.emplace(peer, letter_of(chunk_of(own, peer, processes), chunk_of(expected, peer, processes),
                                rooms[peer].there));
    in.emplace(peer, Letter(most_bytes(chunk_of(own, rank, processes)), rooms[rank].there));
  }
  exchange(channel, in, out);
  return in;
}

// Averages them and this process's `own` chunk into `share`; says what came in.
Head average_chunks(const Letters& in, int rank, const at::Tensor& own, const at::Tensor& expected,
                    int workers, const at::Tensor& share) {
  const auto processes = static_cast<std::int64_t>(in.size()) + 1;
  const at::Tensor chunks = at::empty({processes, share.numel()}, own.options());
  chunks[rank].copy_(own[0]);
  Head head = {};
  for (const auto& [peer, letter] : in) {
    decode(letter, expected, chunks[peer]);
    head.longest_there = std::max(head.longest_there, letter.head().bytes);
    head.there += letter.sent();
  }
  tree_mean(chunks, 0, share.numel(), workers, share);
  return head;
}

// Sends `share`, the mean of this process's columns, to all; theirs and its own.
Letters distribute(Channel& channel, int rank, const Letter& share, const at::Tensor& mean,
                   const std::vector<Rooms>& rooms) {
  const auto processes = static_cast<int>(rooms.size());
  Letters out, in;
  for (int peer = 0; peer < processes; ++peer) {
    if (peer == rank) continue;
    out.emplace(peer, share);
    in.emplace(peer, Letter(most_bytes(chunk_of(mean, peer, processes)), rooms[peer].back));
  }
  exchange(channel, in, out);
  in.emplace(rank, share);
  return in;
}

}  // namespace

std::unique_ptr<Exchange> LosslessMean::launch(Communicator& comm, const at::Tensor& rows,
                                               const at::Tensor& mean) {
  const auto bytes = static_cast<std::int64_t>(mean.nbytes());
  if (comm.size() == 1 || bytes < kWorthCoding) return comm.launch_mean(rows, mean);
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
  const bool other = last_.defined() &&
                     (last_.sizes() != mean.sizes() || last_.scalar_type() != mean.scalar_type());
  ENTRAIN_CHECK(!other);
  if (plain_ > 0) {
    --plain_;
    direct_mean(channel, members, rows, sums_, mean);
  } else if (!last_.defined()) {
    direct_mean(channel, members, rows, sums_, mean);
    last_ = mean.clone();
    rooms_.clear();
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
                                const at::Tensor& mean) {
  const int rank = members.rank, processes = members.size;
  const auto chunk = [&](const at::Tensor& row, int process) {
    return chunk_of(row, process, processes);
  };
  const at::Tensor own = own_sum(rows, sums_), share = chunk(mean, rank);
  const at::Tensor expected =
      members.local_workers == 1 ? last_ : last_.to(own.scalar_type()).mul(members.local_workers);
  if (rooms_.empty()) rooms_ = first_rooms(own, mean, processes);
  ENTRAIN_CHECK(static_cast<int>(rooms_.size()) == processes);
  const Head head =
      average_chunks(collect(channel, rank, own, expected, rooms_), rank, chunk(own, rank),
                     chunk(expected, rank), members.workers(), share);
  const Letters shares = distribute(
      channel, rank, letter_of(share, chunk(last_, rank), rooms_[rank].back, head), mean, rooms_);
  std::int64_t sent = 0;
  for (const auto& [process, letter] : shares) {
    if (process != rank) decode(letter, chunk(last_, process), chunk(mean, process));
    const Head said = letter.head();
    sent += said.there + (processes - 1) * letter.sent();
    auto& [there, back] = rooms_[process];
    there = room_for(said.longest_there, most_bytes(chunk(own, process)), there, few_sizes_);
    back = room_for(said.bytes, most_bytes(chunk(mean, process)), back, few_sizes_);
  }
  const auto plain = static_cast<double>((own.nbytes() + mean.nbytes()) * (processes - 1));
  return static_cast<double>(sent) / plain;
}

std::shared_ptr<LosslessMean> lossless_mean_for(const TransportOptions& options, bool few_sizes) {
  return options.lossless ? std::make_shared<LosslessMean>(options.sums, few_sizes) : nullptr;
}

}  // namespace entrain
