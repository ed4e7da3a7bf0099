#include "entrain/comm/watch.h"

#include <algorithm>

#include "entrain/comm/lost_peer.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"

namespace entrain {
namespace {

using std::chrono::milliseconds;

constexpr auto kFarewell = std::chrono::seconds(3);  // for the others to say that they give up

}  // namespace

Watch::Watch(Store& store, const Place& place, milliseconds patience)
    : store_(store),
      place_(place),
      patience_(patience),
      interval_(std::min<milliseconds>(patience / kSignsOfLife, std::chrono::seconds(1))) {
  store_.beat(place_.rank, beat());
  thread_ = std::thread([this] { beat_on(); });
}

Watch::~Watch() {
  {
    const std::lock_guard guard(lock_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Watch::begin_wait(std::int64_t number, const std::string& form) {
  {
    const std::lock_guard guard(lock_);
    number_ = number;
    form_ = form;
  }
  question_.reset();
  seen_.clear();
  next_look_ = Clock::now() + interval_;
  next_beats_ = next_look_;
}

void Watch::end_wait() {
  const std::lock_guard guard(lock_);
  number_ = 0;
}

// The store's own thread reads, so that the exchange may end or fail before the store answers. Rank
// 0 takes its store along when it has ended, perhaps before its last message is here.
std::optional<Watch::Loss> Watch::look() {
  try {
    if (question_) return take_answer();
    if (Clock::now() >= next_look_) ask();
    return std::nullopt;
  } catch (const NoAnswer&) {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const std::exception&) {
    question_.reset();
    next_look_ = Clock::now() + interval_;
    if (!store_lost_) store_lost_ = Clock::now();
    if (Clock::now() > *store_lost_ + kFarewell) throw;
    return std::nullopt;
  }
}

void Watch::ask() {
  const auto now = Clock::now();
  const bool beats = now >= next_beats_;
  next_look_ = now + interval_;
  if (beats) next_beats_ = now + patience_ / kSignsOfLife;
  const auto answer = std::make_shared<Signs>();
  question_ = {answer, store_.ask_for_signs(place_, number_, form_, beats, answer), now};
}

std::optional<Watch::Loss> Watch::take_answer() {
  if (question_->over.wait_for(milliseconds(0)) != std::future_status::ready) {
    if (Clock::now() < question_->asked + patience_) return std::nullopt;
    store_.give_up();
    throw NoAnswer("the store does not answer");
  }
  Question question = *std::exchange(question_, std::nullopt);
  question.over.get();
  const Signs& signs = *question.answer;
  refuse_other_form(signs);
  if (signs.failure) return Loss{"another rank gave up", {}};
  if (signs.beats.empty()) return std::nullopt;
  compare(signs.beats);
  const std::set<int> ranks = silent(signs.beats);
  if (ranks.empty()) return std::nullopt;
  return Loss{print_silence(patience_), ranks};
}

// Who took it for something else has ended its connections, perhaps before this rank looked.
void Watch::explain_failure() {
  try {
    if (!question_) ask();
    const Question question = *std::exchange(question_, std::nullopt);
    if (question.over.wait_for(std::chrono::seconds(1)) != std::future_status::ready) return;
    refuse_other_form(*question.answer);
  } catch (const Error&) {
    throw;
  } catch (const std::exception&) {  // the store is gone, too
  }
}

void Watch::refuse_other_form(const Signs& signs) const {
  if (!signs.other_form) return;
  const auto& [rank, form] = *signs.other_form;
  entrain::refuse_other_form(number_, place_.rank, form_, rank, form);
}

// A beat is the number of beats so far, and behind a blank what its rank waits in.
std::string Watch::beat() const {
  const bool waits = number_ > 0 && !form_.empty();
  return waits ? fmt::format("{} {} {}", count_, number_, form_) : fmt::format("{} ", count_);
}

void Watch::compare(const std::vector<std::string>& beats) const {
  const std::string here = fmt::format(" {} ", number_);
  for (std::size_t rank = 0; rank < beats.size() && !form_.empty(); ++rank) {
    const std::size_t at = beats[rank].find(' ');
    if (at == std::string::npos || beats[rank].compare(at, here.size(), here) != 0) continue;
    const std::string other = beats[rank].substr(at + here.size());
    if (other == form_) continue;
    entrain::refuse_other_form(number_, place_.rank, form_, static_cast<int>(rank), other);
  }
}

std::set<int> Watch::silent(const std::vector<std::string>& beats) {
  const auto now = Clock::now();
  std::set<int> ranks;
  if (seen_.empty()) seen_.resize(beats.size(), {"", now});
  for (std::size_t rank = 0; rank < beats.size(); ++rank) {
    if (seen_[rank].beat != beats[rank]) seen_[rank] = {beats[rank], now};
    if (now >= seen_[rank].since + patience_) ranks.insert(static_cast<int>(rank));
  }
  ranks.erase(place_.rank);
  return ranks;
}

std::set<int> Watch::silent_ranks(const std::set<int>& known) {
  const std::vector<std::string> before = store_.beats(place_.size);
  const auto deadline = Clock::now() + kFarewell;
  std::set<int> left = store_.unreported(place_.size);
  while (!std::ranges::includes(known, left) && Clock::now() < deadline && !interrupted()) {
    std::this_thread::sleep_for(milliseconds(20));
    left = store_.unreported(place_.size);
  }
  const std::vector<std::string> after = store_.beats(place_.size);
  std::erase_if(left,
                [&](int rank) { return !known.contains(rank) && before[rank] != after[rank]; });
  return left;
}

// That the store is gone is found out by whoever waits for its answers.
void Watch::beat_on() {
  std::unique_lock guard(lock_);
  while (!changed_.wait_for(guard, interval_, [this] { return ending_; })) {
    ++count_;
    try {
      store_.beat(place_.rank, beat());
    } catch (const std::exception&) {
      return;
    }
  }
}

}  // namespace entrain
