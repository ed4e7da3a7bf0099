#include "entrain/comm/clocks.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <memory>

namespace entrain {
namespace {

constexpr int kRoundTrips = 8;

at::Tensor number(double value) { return at::full({1}, value, at::kDouble); }

// As rank 0 expects the next question while it answers, a question need not wait for that, and
// takes as long as an answer.
void answer_clock(Channel& channel, const Communicator& comm, int peer) {
  const at::Tensor question = number(0);
  channel.exchange({{peer, question}}, {});
  for (int i = 1; i < kRoundTrips; ++i) {
    channel.exchange({{peer, question}}, {{peer, number(comm.now())}});
  }
  channel.exchange({}, {{peer, number(comm.now())}});
}

ClockReading ask_clock(Channel& channel, const Communicator& comm) {
  ClockReading best;
  for (int i = 0; i < kRoundTrips; ++i) {
    const at::Tensor answer = number(0);
    const double asked = comm.now();
    channel.exchange({{0, answer}}, {{0, number(asked)}});
    const double told = comm.now(), error = (told - asked) / 2;
    if (i > 0 && error >= best.error) continue;
    best = {asked + error, answer.item<double>() - (asked + error), error};
  }
  return best;
}

void send_to_zero(Channel& channel, const at::Tensor& bytes) {
  channel.exchange({}, {{0, number(static_cast<double>(bytes.numel()))}});
  channel.exchange({}, {{0, bytes}});
}

std::vector<Piece> receive_at_zero(Channel& channel, const Members& members) {
  std::vector<Piece> sizes, pieces;
  for (int peer = 1; peer < members.size; ++peer) sizes.push_back({peer, number(0)});
  channel.exchange(sizes, {});
  for (const Piece& size : sizes) {
    const auto count = static_cast<std::int64_t>(size.values.item<double>());
    pieces.push_back({size.peer, at::empty({count}, at::kByte)});
  }
  channel.exchange(pieces, {});
  return pieces;
}

std::string bytes_in(const at::Tensor& bytes) {
  return {static_cast<const char*>(bytes.data_ptr()), bytes.nbytes()};
}

// A job that fails may go on for a little while: what it needs is its own, but for the
// communicator.
void run_job(Communicator& comm, const std::string& form, std::function<void(Channel&)> job) {
  comm.launch({.form = form, .run = std::move(job)})->wait();
}

}  // namespace

ClockReading read_clock(Communicator& comm) {
  const auto reading = std::make_shared<ClockReading>(ClockReading{comm.now()});
  if (comm.size() == 1) return *reading;
  run_job(comm, "a reading of clocks", [&comm, reading](Channel& channel) {
    if (comm.rank() > 0) {
      *reading = ask_clock(channel, comm);
    } else {
      for (int peer = 1; peer < comm.size(); ++peer) answer_clock(channel, comm, peer);
    }
  });
  return *reading;
}

AlignedClock::AlignedClock(const ClockReading& first, const ClockReading& last)
    : first_(first), error_(std::max(first.error, last.error)) {
  if (last.own > first.own) drift_ = (last.ahead - first.ahead) / (last.own - first.own);
}

double AlignedClock::operator()(double own) const {
  return own + first_.ahead + drift_ * (own - first_.own);
}

std::vector<std::string> collect(Communicator& comm, const std::string& bytes) {
  if (comm.size() == 1) return {bytes};
  const auto all = std::make_shared<std::vector<std::string>>();
  const at::Tensor own = at::empty({static_cast<std::int64_t>(bytes.size())}, at::kByte);
  std::copy(bytes.begin(), bytes.end(), own.data_ptr<std::uint8_t>());
  run_job(comm, "a collection at rank 0", [members = comm.members(), own, all](Channel& channel) {
    if (members.rank > 0) {
      send_to_zero(channel, own);
    } else {
      all->push_back(bytes_in(own));
      for (const Piece& piece : receive_at_zero(channel, members))
        all->push_back(bytes_in(piece.values));
    }
  });
  return *all;
}

}  // namespace entrain
