#include "entrain/comm/c10d.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <deque>
#include <functional>
#include <future>
#include <optional>
#include <set>

#include "entrain/comm/address.h"
#include "entrain/comm/direct_mean.h"
#include "entrain/comm/forms.h"
#include "entrain/comm/gloo.h"
#include "entrain/comm/lossless_mean.h"
#include "entrain/comm/lost_peer.h"
#include "entrain/comm/pairwise.h"
#include "entrain/comm/queue.h"
#include "entrain/comm/row_exchange.h"
#include "entrain/comm/store.h"
#include "entrain/comm/sum.h"
#include "entrain/comm/watch.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"

namespace entrain {
namespace {

// Bytes from which a sum goes along Gloo's ring where links are short (docs/results/comm.md).
constexpr std::int64_t kRingFrom = 512 << 10;
constexpr std::int64_t kFirstPart = 4 << 20;  // bytes of the ring's first message
constexpr int kLongWindows = 3;               // of a connection, to fill a long link

using Works = std::vector<GlooWork>;

class C10d : public Communicator, private Channel {
 public:
  C10d(const Place& place, const TransportOptions& options)
      : place_(place),
        options_(options),
        own_address_(own_address_towards(place, options.interface)),
        store_(Store::join(place, options.join_timeout)),
        control_(connect("control", 1)),
        watch_(store_, place, options.patience),
        forms_(place, store_, connect("forms", 1)),
        round_trip_(longest_round_trip()),
        long_links_(round_trip_ > kLongRoundTrip),
        data_(connect("data", connections())) {
    pairs_.emplace(data_, Pacing{.connections = connections(), .in_turn = asks_in_turn()});
    store_.wait_at_most(options.patience);
  }

  ~C10d() override {
    if (lost_ || in_flight_ > 0) {
      park({data_, control_, forms_.group()});
    } else if (!asks_in_turn()) {
      await_landings();
    }
    if (lost_) store_.give_up();
    lost_ = true;
    pairs_->abort();  // ends the exchange that queue_ may be in
  }

  int rank() const override { return place_.rank; }
  int size() const override { return place_.size; }
  int local_workers() const override { return options_.local_workers; }
  std::int64_t wire_bytes_sent() const override { return wire_bytes_ + pairs_->bytes_sent(); }

  std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) override;
  std::unique_ptr<Exchange> launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                       std::shared_ptr<const Mixing> mixing) override;
  std::unique_ptr<Exchange> launch(Job job) override;
  std::vector<std::string> gather(const std::string& bytes) override;

  /// In direct exchange the mean of a chunk comes from the process that has received that chunk.
  bool averages_in_place() const override { return local_workers() == 1; }
  std::optional<std::int64_t> bucket_bytes() const override {
    return bucket_bytes_for(size(), long_links_);
  }
  std::shared_ptr<LosslessMean> lossless_mean() const override {
    return lossless_mean_for(options_, !asks_in_turn());
  }
  void abandon() noexcept override;

  void finish(const Wait& wait, std::int64_t number, const std::string& form);
  void landed() { --in_flight_; }

 private:
  Gloo connect(const std::string& name, int connections) const;
  double longest_round_trip();
  int connections() const;
  bool asks_in_turn() const { return round_trip_ < kShortRoundTrip; }
  void await_landings() noexcept;
  std::unique_ptr<Exchange> start(std::string form, std::function<Works()> begin);
  void agree(const std::string& form, std::int64_t number);
  Works ring_mean(const at::Tensor& rows, const at::Tensor& mean);
  void exchange(const std::vector<Piece>& in, const std::vector<Piece>& out) override {
    pairs_->exchange({{in, out}});
  }
  void exchange_in_steps(const std::vector<Step>& steps, int) override { pairs_->exchange(steps); }
  void finish_here(const Wait& wait);
  std::vector<at::Tensor> all_gather(const at::Tensor& own, const std::string& form);
  [[noreturn]] void give_up(std::int64_t number, const Watch::Loss& loss);

  Place place_;
  TransportOptions options_;
  std::string own_address_;
  Store store_;
  std::atomic<std::int64_t> exchanges_{0};  // the queue reads it
  int in_flight_ = 0;
  std::atomic<std::int64_t> wire_bytes_{0};
  std::atomic<bool> lost_{false};
  std::optional<Pairwise> pairs_;  // none while the constructor still connects
  Gloo control_;
  Watch watch_;
  Forms forms_;
  double round_trip_;  // in seconds, alike on all ranks
  bool long_links_;
  Gloo data_;
  Queue queue_;  // starts exchanges in order; the last member, so that it ends before what it uses
};

// What the threads of an exchange have to say of it.
struct UnderWay {
  std::deque<Wait> waits;              // of Gloo's works, once all have begun
  std::atomic<double> finished_at{0};  // the latest that was noted

  void note(double time) {
    for (double last = finished_at;
         last < time && !finished_at.compare_exchange_weak(last, time);) {
    }
  }
};

class C10dExchange : public Exchange {
 public:
  C10dExchange(C10d& comm, std::int64_t number, std::string form,
               std::shared_ptr<const UnderWay> under_way, Wait wait)
      : comm_(comm),
        number_(number),
        form_(std::move(form)),
        under_way_(std::move(under_way)),
        wait_(std::move(wait)) {}

  bool done() override {
    try {
      return wait_(std::chrono::milliseconds(0));
    } catch (const std::exception&) {
      return true;  // wait() says what happened
    }
  }
  void wait() override {
    comm_.finish(wait_, number_, form_);
    comm_.landed();
  }
  double finished_at() const override { return under_way_->finished_at; }

 private:
  C10d& comm_;
  std::int64_t number_;
  std::string form_;
  std::shared_ptr<const UnderWay> under_way_;
  Wait wait_;
};

Gloo C10d::connect(const std::string& name, int connections) const {
  return connect_gloo(place_, store_.table(fmt::format("{}/{}", name, epoch())),
                      {own_address_, connections, options_.join_timeout});
}

// Ranks must agree, as the sums that they choose by it have other bits. So all of them ask, also
// those that were told.
double C10d::longest_round_trip() {
  const double told = options_.links == Links::long_ ? kLongRoundTrip * 2 : 0;
  const double own = options_.links == Links::measured ? store_.round_trip(kShortRoundTrip) : told;
  double longest = 0;
  try {
    for (const at::Tensor& one : all_gather(at::full({1}, own, at::kDouble), "")) {
      longest = std::max(longest, one.item<double>());
    }
  } catch (...) {
    park({control_, forms_.group()});  // the constructor fails, so no destructor does
    store_.give_up();
    throw;
  }
  wire_bytes_ = exchanges_ = 0;  // of the run
  return longest;
}

// Where a rank has few peers, what it has under way to them must fill a long link all the same.
int C10d::connections() const {
  return long_links_ && size() > 1 ? (kLongWindows + size() - 2) / (size() - 1) : 1;
}

// Before connections close to which questions may still come (Pacing::in_turn). Where the store is
// gone, its host has seen that all have landed.
void C10d::await_landings() noexcept {
  try {
    store_.landed(size(), std::chrono::seconds(2));
  } catch (const std::exception&) {
  }
}

// Exchanges begin in the order of their launches, on the queue's thread: there the ranks compare
// forms that are new, and an exchange of several steps goes on while the caller computes.
std::unique_ptr<Exchange> C10d::start(std::string form, std::function<Works()> begin) {
  const std::int64_t number = ++exchanges_;
  ++in_flight_;
  const auto under_way = std::make_shared<UnderWay>();
  const std::shared_future<void> begun =
      queue_.push([this, form, number, under_way, begin = std::move(begin)] {
        agree(form, number);
        for (const GlooWork& work : begin()) {
          under_way->waits.push_back(waiter(work));
          when_over(work,
                    [under_way] { under_way->note(seconds_of(std::chrono::steady_clock::now())); });
        }
        under_way->note(now());
      });
  Wait wait = [begun, &waits = under_way->waits](std::chrono::milliseconds slice) {
    if (begun.wait_for(slice) != std::future_status::ready) return false;
    begun.get();
    while (!waits.empty() && waits.front()(slice)) waits.pop_front();
    return waits.empty();
  };
  return std::make_unique<C10dExchange>(*this, number, std::move(form), under_way, std::move(wait));
}

void C10d::agree(const std::string& form, std::int64_t number) {
  try {
    forms_.agree(form, number, [this](const Wait& wait) { finish_here(wait); });
  } catch (const Error&) {
    abandon();
    throw;
  }
}

std::unique_ptr<Exchange> C10d::launch_mean(const at::Tensor& rows, const at::Tensor& mean) {
  check_exchange(rows, mean, local_workers(), 1);
  const bool fast = options_.sums == Sums::fast;
  const auto bytes = static_cast<std::int64_t>(mean.nbytes());
  const bool ring = fast && !long_links_ && bytes >= kRingFrom;
  return start(form_of(fast ? "sum" : "reproducible sum", rows), [this, rows, mean, ring] {
    if (ring) return ring_mean(rows, mean);
    direct_mean(*this, members(), rows, options_.sums, mean);
    return Works();
  });
}

// Part by part, each twice the one before, so that it is prepared while that one travels; divided
// before the sum, as a pass over memory after it would be waited for.
Works C10d::ring_mean(const at::Tensor& rows, const at::Tensor& mean) {
  wire_bytes_ += 2 * static_cast<std::int64_t>(mean.nbytes()) * (size() - 1) / size();
  const std::int64_t columns = mean.size(1);
  std::int64_t part = kFirstPart / mean.element_size();
  Works works;
  for (std::int64_t begin = 0, end = 0; begin < columns; begin = end, part *= 2) {
    end = std::min(columns, begin + part);
    at::Tensor own = mean.narrow(1, begin, end - begin);
    if (local_workers() == 1) {
      at::div_out(own, rows.narrow(1, begin, end - begin), at::scalar_tensor(workers()));
    } else {
      tree_mean(rows, begin, end, workers(), mean);
    }
    std::vector<at::Tensor> message = {own};
    works.push_back(data_->allreduce(message));
  }
  return works;
}

std::unique_ptr<Exchange> C10d::launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                           std::shared_ptr<const Mixing> mixing) {
  check_exchange(rows, mixed, local_workers(), local_workers());
  return start(form_of("mixing", rows), [this, rows, mixed, mixing] {
    mix(*this, members(), *mixing, rows, mixed);
    return Works();
  });
}

std::unique_ptr<Exchange> C10d::launch(Job job) {
  return start(job.form, [this, run = std::move(job.run)] {
    run(*this);
    return Works();
  });
}

// On the queue's thread: until the exchange is over, or the rank has given up.
void C10d::finish_here(const Wait& wait) {
  while (!wait(std::chrono::milliseconds(100))) {
    if (lost_) throw CommunicationError("a peer was lost");
  }
}

std::vector<at::Tensor> C10d::all_gather(const at::Tensor& own, const std::string& form) {
  std::vector<std::vector<at::Tensor>> all(1);
  for (int rank = 0; rank < size(); ++rank) all[0].push_back(at::empty_like(own));
  std::vector<at::Tensor> message = {own};
  wire_bytes_ += static_cast<std::int64_t>(own.nbytes()) * (size() - 1);
  finish(waiter(control_->allgather(all, message)), ++exchanges_, form);
  return all[0];
}

const char* const kGathering = "a gathering";

std::vector<std::string> C10d::gather(const std::string& bytes) {
  const auto length = static_cast<std::int64_t>(bytes.size());
  std::vector<std::int64_t> lengths;
  for (const at::Tensor& one : all_gather(at::full({1}, length, at::kLong), kGathering)) {
    lengths.push_back(one.item<std::int64_t>());
  }
  const std::int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  at::Tensor padded = at::zeros({std::max<std::int64_t>(longest, 1)}, at::kByte);
  std::memcpy(padded.data_ptr(), bytes.data(), bytes.size());
  const std::vector<at::Tensor> all = all_gather(padded, kGathering);
  std::vector<std::string> texts;
  for (int rank = 0; rank < size(); ++rank) {
    texts.emplace_back(static_cast<const char*>(all[rank].data_ptr()), lengths[rank]);
  }
  return texts;
}

// Gloo tells only the neighbours in the ring of a dead peer, and of one whose link was cut nobody;
// the others learn of it here, through the store.
void C10d::finish(const Wait& wait, std::int64_t number, const std::string& form) {
  watch_.begin_wait(number, form);
  try {
    while (!wait(std::chrono::milliseconds(100))) {
      if (interrupted()) give_up(number, {"interrupted", {}});
      if (const auto loss = watch_.look()) give_up(number, *loss);
    }
  } catch (const Error&) {
    C10d::abandon();  // also from the constructor
    throw;
  } catch (const std::exception& error) {
    give_up(number, {error.what(), {}});
  }
  watch_.end_wait();
}

void C10d::abandon() noexcept {
  lost_ = true;
  if (pairs_) pairs_->abort();
  try {
    store_.report_failure(place_.rank, exchanges_);
  } catch (const std::exception&) {
  }
}

void C10d::give_up(std::int64_t number, const Watch::Loss& loss) {
  C10d::abandon();
  if (interrupted()) throw Interrupted("interrupted while waiting for the other ranks");
  if (loss.silent.empty()) watch_.explain_failure();
  const std::string where = fmt::format("rank {} in exchange {}", place_.rank, number);
  const std::string cause = loss.why.substr(0, loss.why.find('\n'));
  const std::string store = fmt::format("the store at {}:{}", place_.address, place_.port);
  std::set<int> silent;
  try {
    silent = watch_.silent_ranks(loss.silent);
    store_.part(place_, silent, std::chrono::seconds(5));
  } catch (const NoAnswer&) {
    throw CommunicationError(fmt::format(
        "{}: no word from rank 0: {}, on its host, has not answered for {:g} s; is that host down, "
        "or a link cut, its own or this one's?",
        where, store, std::chrono::duration<double>(watch_.patience()).count()));
  } catch (const std::exception&) {
    throw CommunicationError(
        fmt::format("{}: the exchange failed and {} is gone{}: {}; see the output of that process",
                    where, store, place_.store_elsewhere ? "" : " with rank 0", cause));
  }
  refuse_without(place_.rank, number, silent, cause);
}

}  // namespace

std::unique_ptr<Communicator> c10d_communicator(const Place& place,
                                                const TransportOptions& options) {
  // Gloo and the store write to peers that may be gone; that must end in an error here, not in a
  // signal.
  struct sigaction action = {};
  if (sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
    std::signal(SIGPIPE, SIG_IGN);
  }
  return std::make_unique<C10d>(place, options);
}

}  // namespace entrain
