#include "entrain/comm/c10d.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <functional>
#include <future>
#include <set>
#include <thread>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "entrain/comm/address.h"
#include "entrain/comm/deadline.h"
#include "entrain/comm/queue.h"
#include "entrain/comm/row_exchange.h"
#include "entrain/comm/store.h"
#include "entrain/comm/sum.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"

namespace entrain {
namespace {

using Gloo = c10::intrusive_ptr<c10d::ProcessGroupGloo>;
using Work = c10::intrusive_ptr<c10d::Work>;

// Waits for an exchange for at most a slice of time: true once it is over. Rethrows its failure.
using Wait = std::function<bool(std::chrono::milliseconds)>;

std::vector<Gloo>& parked_groups() {
  static auto* const parked = new std::vector<Gloo>;  // reachable, and never destroyed
  return *parked;
}

// c10d says by an exception that a slice of waiting is over; the work may be done by the time it is
// caught.
Wait waiter(const Work& work) {
  return [work](std::chrono::milliseconds slice) {
    if (!work->isCompleted() && slice.count() > 0) {
      try {
        work->wait(slice);
      } catch (const std::exception&) {
      }
    }
    if (!work->isCompleted()) return false;
    if (!work->isSuccess()) std::rethrow_exception(work->exception());
    return true;
  };
}

class C10d : public Communicator, private Channel {
 public:
  C10d(const Place& place, const C10dOptions& options)
      : place_(place),
        options_(options),
        store_(Store::join(place, options.join_timeout)),
        data_(make_group("data")),
        control_(make_group("control")),
        forms_(make_group("forms")) {}

  // A group whose exchange failed or never landed may have threads inside Gloo that wait for a
  // peer, and its destructor would wait for them: it is left to the end of the process.
  ~C10d() override {
    if (lost_ || in_flight_ > 0) {
      parked_groups().insert(parked_groups().end(), {data_, control_, forms_});
    }
    lost_ = true;  // ends the direct exchange that queue_ may be in
  }

  int rank() const override { return place_.rank; }
  int size() const override { return place_.size; }
  int local_workers() const override { return options_.local_workers; }
  std::int64_t wire_bytes_sent() const override { return wire_bytes_; }

  std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) override;
  std::unique_ptr<Exchange> launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                       std::shared_ptr<const Mixing> mixing) override;
  std::unique_ptr<Exchange> launch(Job job) override;
  std::vector<std::string> gather(const std::string& bytes) override;

  void abandon() noexcept override;

  void finish(const Wait& wait, std::int64_t number, const std::string& form);
  void landed() { --in_flight_; }

 private:
  Gloo make_group(const std::string& name);
  std::unique_ptr<Exchange> start(std::string form, std::function<Work()> begin,
                                  std::function<void()> land);
  void agree_on(const std::string& form, std::int64_t number);
  [[noreturn]] void refuse_form(std::int64_t number, const std::string& own, int other_rank,
                                const std::string& other);
  void direct_mean(const at::Tensor& partial, const at::Tensor& mean);
  void all_to_all(at::Tensor& in, at::Tensor& out, const std::vector<std::int64_t>& in_rows,
                  const std::vector<std::int64_t>& out_rows) override;
  void finish_here(const Wait& wait);
  std::vector<at::Tensor> all_gather(const at::Tensor& own);
  [[noreturn]] void give_up(std::int64_t number, const std::string& why);

  Place place_;
  C10dOptions options_;
  Store store_;
  Deadline deadline_;
  std::int64_t exchanges_ = 0;
  int in_flight_ = 0;
  std::atomic<std::int64_t> wire_bytes_{0};
  std::atomic<bool> lost_{false};
  Gloo data_;
  Gloo control_;
  Gloo forms_;  // compares what is new among the exchanges' forms
  std::set<std::string> agreed_forms_;
  Queue queue_;  // starts exchanges in order; the last member, so that it ends before what it uses
};

class C10dExchange : public Exchange {
 public:
  C10dExchange(C10d& comm, std::int64_t number, std::string form, Wait wait,
               std::function<void()> land)
      : comm_(comm),
        number_(number),
        form_(std::move(form)),
        wait_(std::move(wait)),
        land_(std::move(land)) {}

  bool done() override {
    try {
      return wait_(std::chrono::milliseconds(0));
    } catch (const std::exception&) {
      return true;  // wait() says what happened
    }
  }
  void wait() override {
    comm_.finish(wait_, number_, form_);
    land_();
    comm_.landed();
  }

 private:
  C10d& comm_;
  std::int64_t number_;
  std::string form_;
  Wait wait_;
  std::function<void()> land_;
};

// On a thread of its own, as Gloo waits for peers without an end that we could choose: one that met
// at the store and then died, or that a firewall hides. The thread is left behind then.
Gloo C10d::make_group(const std::string& name) {
  auto options =
      c10d::ProcessGroupGloo::Options::create(std::chrono::hours(24));  // ours are Deadline's
  options->threads = 2;
  options->devices.push_back(
      c10d::ProcessGroupGloo::createDeviceForHostname(own_address_towards(place_)));
  const auto made = std::make_shared<std::promise<Gloo>>();
  std::thread([made, options, rank = place_.rank, size = place_.size,
               table = store_.table(fmt::format("{}/{}", name, epoch()))] {
    try {
      made->set_value(c10::make_intrusive<c10d::ProcessGroupGloo>(table, rank, size, options));
    } catch (...) {
      made->set_exception(std::current_exception());
    }
  }).detach();
  std::future<Gloo> group = made->get_future();
  const auto deadline = Deadline::Clock::now() + options_.join_timeout;
  std::string why = "no answer";
  while (group.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
    if (interrupted() || Deadline::Clock::now() >= deadline) break;
  }
  if (group.wait_for(std::chrono::seconds(0)) == std::future_status::ready) {
    try {
      return group.get();
    } catch (const std::exception& error) {  // the store has a limit of its own, of the same length
      why = error.what();
      why.resize(std::min(why.size(), why.find('\n')));
    }
  }
  if (interrupted()) throw Interrupted("interrupted while connecting to the other ranks");
  throw CommunicationError(fmt::format(
      "rank {}: all ranks met at {}:{}, but not all of them could be connected to each other "
      "within {} s ({}): did one die, or does a firewall stand between them? See their output",
      place_.rank, place_.address, place_.port, options_.join_timeout.count() / 1000.0, why));
}

// Exchanges begin in the order of their launches, on the queue's thread: there the ranks compare
// forms that are new, and an exchange of several steps goes on while the caller computes.
std::unique_ptr<Exchange> C10d::start(std::string form, std::function<Work()> begin,
                                      std::function<void()> land) {
  const std::int64_t number = ++exchanges_;
  ++in_flight_;
  const auto work = std::make_shared<Work>();
  const std::shared_future<void> begun =
      queue_.push([this, form, number, work, begin = std::move(begin)] {
        agree_on(form, number);
        *work = begin();
      });
  Wait wait = [begun, work, over = Wait()](std::chrono::milliseconds slice) mutable {
    if (begun.wait_for(slice) != std::future_status::ready) return false;
    begun.get();
    if (!*work) return true;
    if (!over) over = waiter(*work);
    return over(slice);
  };
  return std::make_unique<C10dExchange>(*this, number, std::move(form), std::move(wait),
                                        std::move(land));
}

std::string form_of(const char* what, const at::Tensor& rows) {
  return fmt::format("a {} of {} x {}", what, rows.size(1), c10::toString(rows.scalar_type()));
}

std::unique_ptr<Exchange> C10d::launch_mean(const at::Tensor& rows, const at::Tensor& mean) {
  check_exchange(rows, mean, local_workers(), 1);
  const std::int64_t columns = rows.size(1);
  if (options_.sums == Sums::fast) {
    tree_mean(rows, 0, columns, 1, mean);
    wire_bytes_ += 2 * static_cast<std::int64_t>(mean.nbytes()) * (size() - 1) / size();
    return start(
        form_of("sum", rows),
        [this, message = std::vector<at::Tensor>{mean}]() mutable -> Work {
          return message[0].numel() > 0 ? Work(data_->allreduce(message)) : Work();
        },
        [mean, n = workers()] { mean.div_(n); });
  }
  // Alone in its process a worker sends its row as it is; several send the double sum along the
  // tree.
  at::Tensor partial = rows;
  if (local_workers() > 1) {
    partial = at::empty({1, columns}, rows.options().dtype(at::kDouble));
    tree_sum(rows, 0, columns, partial.data_ptr<double>());
  }
  return start(
      form_of("reproducible sum", rows),
      [this, partial, mean] {
        if (mean.numel() > 0) direct_mean(partial, mean);
        return Work();
      },
      [] {});
}

std::unique_ptr<Exchange> C10d::launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                           std::shared_ptr<const Mixing> mixing) {
  check_exchange(rows, mixed, local_workers(), local_workers());
  return start(
      form_of("mixing", rows),
      [this, rows, mixed, mixing] {
        if (mixed.numel() > 0) {
          mix_rows(members(), *mixing, exchange_rows(*this, members(), *mixing, rows), 0,
                   mixed.size(1), mixed);
        }
        return Work();
      },
      [] {});
}

std::unique_ptr<Exchange> C10d::launch(Job job) {
  return start(
      job.form,
      [this, run = std::move(job.run)] {
        run(*this);
        return Work();
      },
      [] {});
}

// Each rank says by a message of fixed size what it is about to do; Gloo would end a process that
// is sent more than it waits for. A rank for which the form is not new does not come here, but
// looks into the store when it has waited long (finish).
void C10d::agree_on(const std::string& form, std::int64_t number) {
  if (agreed_forms_.contains(form) || size() == 1) return;
  store_.declare(rank(), number, form);
  const auto own =
      static_cast<std::int64_t>(std::hash<std::string>()(fmt::format("{} {}", number, form)));
  std::vector<std::vector<at::Tensor>> all(1);
  for (int other = 0; other < size(); ++other) all[0].push_back(at::empty({1}, at::kLong));
  std::vector<at::Tensor> message = {at::full({1}, own, at::kLong)};
  finish_here([this, number, &form, wait = waiter(forms_->allgather(all, message)),
               next_look = Deadline::Clock::now() +
                           std::chrono::seconds(1)](std::chrono::milliseconds slice) mutable {
    if (wait(slice)) return true;
    if (Deadline::Clock::now() < next_look) return false;
    next_look += std::chrono::seconds(1);
    if (const auto other = store_.other_form(size(), number, form)) {
      refuse_form(number, form, other->first, other->second);
    }
    return false;
  });
  for (const at::Tensor& hash : all[0]) {
    if (hash.item<std::int64_t>() == own) continue;
    const auto other = store_.other_form(size(), number, form);
    if (other) refuse_form(number, form, other->first, other->second);
    abandon();
    throw CommunicationError(
        fmt::format("rank {} is at exchange {} ({}), and another rank is not: all ranks must make "
                    "the same exchanges in the same order",
                    place_.rank, number, form));
  }
  agreed_forms_.insert(form);
}

void C10d::refuse_form(std::int64_t number, const std::string& own, int other_rank,
                       const std::string& other) {
  abandon();
  throw CommunicationError(
      fmt::format("rank {} and rank {} differ in exchange {}: {} and {}; all ranks must make the "
                  "same exchanges in the same order",
                  place_.rank, other_rank, number, own, other));
}

// Chunk p of every message goes to process p, which sums it and sends the mean of it to all.
void C10d::direct_mean(const at::Tensor& partial, const at::Tensor& mean) {
  const std::int64_t columns = mean.size(1);
  const std::int64_t chunk = (columns + size() - 1) / size();
  at::Tensor out = at::zeros({size(), chunk}, partial.options());
  out.view({-1}).narrow(0, 0, columns).copy_(partial[0]);
  at::Tensor in = at::empty_like(out);
  const std::vector<std::int64_t> one_each(size(), 1);
  all_to_all(in, out, one_each, one_each);
  const at::Tensor own = at::empty({1, chunk}, mean.options());
  tree_mean(in, 0, chunk, workers(), own);
  at::Tensor copies = own.expand({size(), chunk}).contiguous();
  at::Tensor all = at::empty_like(copies);
  all_to_all(all, copies, one_each, one_each);
  mean.copy_(all.view({1, -1}).narrow(1, 0, columns));
}

void C10d::all_to_all(at::Tensor& in, at::Tensor& out, const std::vector<std::int64_t>& in_rows,
                      const std::vector<std::int64_t>& out_rows) {
  std::vector<std::int64_t> from = in_rows, to = out_rows;
  for (int other = 0; other < size(); ++other) {
    if (other != rank()) wire_bytes_ += to[other] * out.size(1) * out.element_size();
  }
  finish_here(waiter(data_->alltoall_base(in, out, from, to)));
}

// On the queue's thread: until the exchange is over, or the rank has given up.
void C10d::finish_here(const Wait& wait) {
  while (!wait(std::chrono::milliseconds(100))) {
    if (lost_) throw CommunicationError("a peer was lost");
  }
}

std::vector<at::Tensor> C10d::all_gather(const at::Tensor& own) {
  std::vector<std::vector<at::Tensor>> all(1);
  for (int rank = 0; rank < size(); ++rank) all[0].push_back(at::empty_like(own));
  std::vector<at::Tensor> message = {own};
  wire_bytes_ += static_cast<std::int64_t>(own.nbytes()) * (size() - 1);
  finish(waiter(control_->allgather(all, message)), ++exchanges_, "");
  return all[0];
}

std::vector<std::string> C10d::gather(const std::string& bytes) {
  const auto length = static_cast<std::int64_t>(bytes.size());
  std::vector<std::int64_t> lengths;
  for (const at::Tensor& one : all_gather(at::full({1}, length, at::kLong))) {
    lengths.push_back(one.item<std::int64_t>());
  }
  const std::int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  at::Tensor padded = at::zeros({std::max<std::int64_t>(longest, 1)}, at::kByte);
  std::memcpy(padded.data_ptr(), bytes.data(), bytes.size());
  const std::vector<at::Tensor> all = all_gather(padded);
  std::vector<std::string> texts;
  for (int rank = 0; rank < size(); ++rank) {
    texts.emplace_back(static_cast<const char*>(all[rank].data_ptr()), lengths[rank]);
  }
  return texts;
}

// Gloo tells only the neighbours in the ring of a dead peer; the others learn of it here, through
// the store.
void C10d::finish(const Wait& wait, std::int64_t number, const std::string& form) {
  using std::chrono::milliseconds;
  deadline_.start();
  auto next_look = Deadline::Clock::now() + std::chrono::seconds(1);
  try {
    while (!wait(milliseconds(100))) {
      if (interrupted()) give_up(number, "interrupted");
      if (deadline_.passed()) {
        give_up(number, fmt::format("no answer within {:.0f} s", deadline_.seconds()));
      }
      if (Deadline::Clock::now() < next_look) continue;
      next_look += std::chrono::seconds(1);
      if (!form.empty() && store_.declared(number)) {
        store_.declare(rank(), number, form);
        const auto other = store_.other_form(size(), number, form);
        if (other) refuse_form(number, form, other->first, other->second);
      }
      if (store_.failure_reported()) give_up(number, "another rank gave up");
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    give_up(number, error.what());
  }
  deadline_.landed();
}

void C10d::abandon() noexcept {
  lost_ = true;
  try {
    store_.report_failure(place_.rank, exchanges_);
  } catch (const std::exception&) {
  }
}

void C10d::give_up(std::int64_t number, const std::string& why) {
  C10d::abandon();  // also from the constructor
  if (interrupted()) throw Interrupted("interrupted while waiting for the other ranks");
  const std::string where = fmt::format("rank {} in exchange {}", place_.rank, number);
  const std::string cause = why.substr(0, why.find('\n'));
  std::set<int> silent;
  try {
    silent = store_.silent_ranks(size(), deadline_.patience());
    store_.part(place_, silent, std::chrono::seconds(5));
  } catch (const std::exception&) {
    throw CommunicationError(fmt::format(
        "{}: the exchange failed and the store at {}:{} is gone{}: {}; see the output of that "
        "process",
        where, place_.address, place_.port, place_.store_elsewhere ? "" : " with rank 0", cause));
  }
  throw CommunicationError(
      silent.empty()
          ? fmt::format("{}: the exchange failed though all ranks answer: {}", where, cause)
          : fmt::format("{}: no word from {}: {}; see the output of {}", where, print_ranks(silent),
                        cause, silent.size() == 1 ? "that process" : "those processes"));
}

}  // namespace

std::unique_ptr<Communicator> c10d_communicator(const Place& place, const C10dOptions& options) {
  // Gloo and the store write to peers that may be gone; that must end in an error here, not in a
  // signal.
  struct sigaction action = {};
  if (sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
    std::signal(SIGPIPE, SIG_IGN);
  }
  return std::make_unique<C10d>(place, options);
}

}  // namespace entrain
