#include "entrain/comm/store.h"

#include <limits>
#include <thread>

#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"

namespace entrain {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// c10d puts a stack trace behind the first line of its messages.
std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

c10::intrusive_ptr<c10d::TCPStore> open_store(const std::string& address, std::uint16_t port,
                                              bool server, milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = port;
  options.isServer = server;
  options.waitWorkers = false;
  options.timeout = std::chrono::ceil<std::chrono::seconds>(timeout);  // c10d cuts to whole seconds
  return c10::make_intrusive<c10d::TCPStore>(address, options);
}

std::vector<std::uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }

}  // namespace

std::string print_ranks(const std::set<int>& ranks) {
  return fmt::format("rank{} {}", ranks.size() == 1 ? "" : "s", fmt::join(ranks, ", "));
}

Store Store::host(std::uint16_t port) {
  try {
    return Store(open_store("127.0.0.1", port, true, std::chrono::seconds(60)));
  } catch (const std::exception& error) {
    throw CommunicationError(
        fmt::format("cannot listen at port {}: {}; is it in use? Choose another port", port,
                    first_line(error)));
  }
}

Store Store::join(const Place& place, milliseconds timeout) {
  const std::string where = fmt::format("{}:{}", place.address, place.port);
  const bool server = place.rank == 0 && !place.store_elsewhere;
  const auto deadline = Clock::now() + timeout;
  const char* const stopped = "interrupted while looking for the other ranks";
  std::optional<Store> store;
  if (interrupted()) throw Interrupted(stopped);  // from here on Ctrl-C breaks the calls of c10d
  try {
    store = Store(open_store(place.address, place.port, server, timeout));
    store->keys_ = c10::make_intrusive<c10d::PrefixStore>("entrain/" + place.attempt, store->tcp_);
    const std::string own = fmt::format("arrived/{}", place.rank);
    store->keys_->set(own, bytes("here"));
    store->keys_->wait({own}, timeout);  // any other program at that port does not answer this
  } catch (const std::exception& error) {
    if (interrupted()) throw Interrupted(stopped);
    throw CommunicationError(
        server
            ? fmt::format("rank 0 cannot host the store at {}: {}; is the port in use? Set another "
                          "MASTER_PORT for all ranks",
                          where, first_line(error))
            : fmt::format(
                  "rank {} finds no store at {} within {} s: {}; is rank 0 running, and are "
                  "MASTER_ADDR and MASTER_PORT the same for all ranks?",
                  place.rank, where, timeout.count() / 1000.0, first_line(error)));
  }
  std::set<int> missing;
  try {
    while (!(missing = store->absent("arrived", place.size)).empty()) {
      if (interrupted()) throw Interrupted(stopped);
      if (Clock::now() > deadline) break;
      std::this_thread::sleep_for(milliseconds(20));
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception&) {
    throw CommunicationError(fmt::format("the store at {} went away while {} had not arrived",
                                         where, print_ranks(missing)));
  }
  if (!missing.empty()) {
    throw CommunicationError(fmt::format(
        "{} of {} did not arrive at {} within {} s; look at the output of those processes, "
        "and start all ranks within that time (comm.join_timeout)",
        print_ranks(missing), place.size, where, timeout.count() / 1000.0));
  }
  return *std::move(store);
}

c10::intrusive_ptr<c10d::Store> Store::table(const std::string& prefix) const {
  return c10::make_intrusive<c10d::PrefixStore>(prefix, keys_);
}

double Store::round_trip(double enough) {
  double shortest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 10 && shortest > enough; ++i) {
    const auto began = Clock::now();
    keys_->check({"round trip"});
    shortest = std::min(shortest, std::chrono::duration<double>(Clock::now() - began).count());
  }
  return shortest;
}

void Store::report_failure(int rank, std::int64_t number) {
  keys_->set(fmt::format("failed/{}", rank), bytes(std::to_string(number)));
  keys_->set("failure", bytes("yes"));
}

bool Store::failure_reported() { return keys_->check({"failure"}); }

void Store::declare(int rank, std::int64_t number, const std::string& form) {
  keys_->set(fmt::format("form/{}/{}", number, rank), bytes(form));
  keys_->set(fmt::format("form/{}", number), bytes("yes"));
}

bool Store::declared(std::int64_t number) { return keys_->check({fmt::format("form/{}", number)}); }

std::optional<std::pair<int, std::string>> Store::other_form(int size, std::int64_t number,
                                                             const std::string& form) {
  for (int rank = 0; rank < size; ++rank) {
    const std::string key = fmt::format("form/{}/{}", number, rank);
    if (!keys_->check({key})) continue;
    const std::vector<std::uint8_t> value = keys_->get(key);
    std::string other(value.begin(), value.end());
    if (other != form) return std::pair(rank, std::move(other));
  }
  return std::nullopt;
}

std::set<int> Store::silent_ranks(int size, milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  std::set<int> silent;
  while (!(silent = absent("failed", size)).empty() && Clock::now() < deadline && !interrupted()) {
    std::this_thread::sleep_for(milliseconds(20));
  }
  return silent;
}

void Store::part(const Place& place, const std::set<int>& silent, milliseconds patience) {
  keys_->set(fmt::format("parted/{}", place.rank), bytes("yes"));
  if (place.rank != 0 || place.store_elsewhere) return;
  const auto deadline = Clock::now() + patience;
  while (absent("parted", place.size) != silent && Clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(20));
  }
}

std::set<int> Store::absent(const std::string& key, int size) {
  std::set<int> ranks;
  for (int rank = 0; rank < size; ++rank) {
    if (!keys_->check({fmt::format("{}/{}", key, rank)})) ranks.insert(rank);
  }
  return ranks;
}

}  // namespace entrain
