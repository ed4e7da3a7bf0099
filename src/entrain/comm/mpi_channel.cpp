#include "entrain/comm/mpi_channel.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <iterator>

#include "entrain/comm/backoff.h"
#include "entrain/comm/lost_peer.h"
#include "entrain/comm/pieces.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kBetweenLooks(20), kUntilTold(1000), kLastMessages(5000);
constexpr int kQuestions = 8;            // within the patience
constexpr std::size_t kFormsKept = 256;  // neighbours may be that many exchanges apart

// MPI may still write to what an exchange that failed was to receive.
void park(const std::vector<Step>& steps) {
  static auto* const parked = new std::vector<Piece>;  // reachable, and never destroyed
  for (const Step& step : steps) {
    parked->insert(parked->end(), step.in.begin(), step.in.end());
    parked->insert(parked->end(), step.out.begin(), step.out.end());
  }
}

}  // namespace

void MpiChannel::run(std::int64_t number, const std::string& form,
                     const std::function<void()>& work) {
  if (lost_) throw CommunicationError("an exchange before this one failed");
  number_ = number;
  forms_[number] = form;
  if (forms_.size() > kFormsKept) forms_.erase(forms_.begin());
  const auto hash = std::hash<std::string>()(fmt::format("{} {} {}", communicator_, number, form));
  tag_ = static_cast<int>(hash % static_cast<std::size_t>(world_.highest_tag()));
  began_ = Clock::now();
  roll_.moved();
  told_ = false;
  work();
}

void MpiChannel::exchange_in_steps(const std::vector<Step>& steps, int at_once) {
  MpiFlow in(receive(), world_.rank(), world_.size(), paced_);
  MpiFlow out(send(), world_.rank(), world_.size(), paced_);
  try {
    for (const Step& step : steps) in.add(step.in, -1);
    std::size_t sent = 0;
    for (std::size_t over = 0; over < steps.size(); ++over) {
      for (; sent < std::min(steps.size(), over + at_once); ++sent) {
        out.add(steps[sent].out, 1);
        copy_own(steps[sent], world_.rank());
      }
      wait_until([&] { return in.over(over); }, in, out);
      if (steps[over].then) steps[over].then();
    }
    wait_until([&] { return out.over(); }, in, out);
  } catch (const std::exception&) {
    park(steps);
    throw;
  }
}

MpiFlow::Begin MpiChannel::receive() const {
  return [this](const MpiFlow::Part& part, MPI_Request* request) {
    return MPI_Irecv(part.at, part.bytes, MPI_BYTE, part.peer, tag_, world_.comm(), request);
  };
}

MpiFlow::Begin MpiChannel::send() {
  return [this](const MpiFlow::Part& part, MPI_Request* request) {
    bytes_sent_ += part.bytes;
    return MPI_Isend(part.at, part.bytes, MPI_BYTE, part.peer, tag_, world_.comm(), request);
  };
}

void MpiChannel::wait_until(const std::function<bool()>& over, MpiFlow& in, MpiFlow& out) {
  Backoff backoff;
  while (!over()) {
    const bool received = in.advance(), sent = out.advance();
    if (received || sent) {
      backoff.moved();
      roll_.moved();
    } else {
      backoff.pause();
    }
    if (Clock::now() < next_look_) continue;
    std::set<int> awaited = in.peers();
    awaited.merge(out.peers());
    look(awaited);
  }
}

void MpiChannel::look(const std::set<int>& awaited) {
  next_look_ = Clock::now() + kBetweenLooks;
  if (lost_) throw CommunicationError("this rank gave up");
  MpiNotes& notes = world_.notes();
  if (!told_ && Clock::now() > began_ + kUntilTold) {
    notes.tell({MpiNote::Kind::form, communicator_, number_, forms_.at(number_)});
    told_ = true;
  }
  notes.read();
  compare();
  require_present(awaited);
  const std::set<int> silent = roll_.silent(awaited);
  if (!silent.empty()) {
    refuse_without(world_.rank(), number_, silent, print_silence(roll_.patience()));
  }
}

// What a rank that has ended well had sent may still be on its way.
void MpiChannel::require_present(const std::set<int>& awaited) {
  const MpiNotes& notes = world_.notes();
  const std::set<int> gone = notes.gave_up(communicator_);
  if (!gone.empty()) refuse_without(world_.rank(), number_, gone, "another rank gave up");
  if (Clock::now() < roll_.last_moved() + kLastMessages) return;
  std::set<int> ended;
  std::ranges::set_intersection(awaited, notes.leaving(), std::inserter(ended, ended.end()));
  if (!ended.empty())
    refuse_without(world_.rank(), number_, ended, "it has made its last exchange");
}

void MpiChannel::compare() {
  for (const auto& [rank, form] : world_.notes().forms(communicator_)) {
    const auto own = forms_.find(form.number);
    if (own == forms_.end() || own->second == form.text) continue;
    refuse_other_form(form.number, world_.rank(), own->second, rank, form.text);
  }
}

}  // namespace entrain
