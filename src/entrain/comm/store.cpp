#include "entrain/comm/store.h"

#include <limits>
#include <thread>

#include "entrain/comm/lost_peer.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"

namespace entrain {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr auto kLastWords = std::chrono::seconds(2);  // for a rank that gives up

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

std::string text_at(c10d::Store& keys, const std::string& key) {
  const std::vector<std::uint8_t> value = keys.get(key);
  return {value.begin(), value.end()};
}

std::set<int> absent(c10d::Store& keys, const std::string& key, int size) {
  std::set<int> ranks;
  for (int rank = 0; rank < size; ++rank) {
    if (!keys.check({fmt::format("{}/{}", key, rank)})) ranks.insert(rank);
  }
  return ranks;
}

std::string form_key(std::int64_t number) { return fmt::format("form/{}", number); }

void declare_form(c10d::Store& keys, int rank, std::int64_t number, const std::string& form) {
  keys.set(fmt::format("{}/{}", form_key(number), rank), bytes(form));
  keys.set(form_key(number), bytes("yes"));
}

std::optional<std::pair<int, std::string>> find_other_form(c10d::Store& keys, int size,
                                                           std::int64_t number,
                                                           const std::string& form) {
  for (int rank = 0; rank < size; ++rank) {
    const std::string key = fmt::format("{}/{}", form_key(number), rank);
    if (!keys.check({key})) continue;
    std::string other = text_at(keys, key);
    if (other != form) return std::pair(rank, std::move(other));
  }
  return std::nullopt;
}

std::vector<std::string> all_beats(c10d::Store& keys, int size) {
  std::vector<std::string> beats;
  for (int rank = 0; rank < size; ++rank) {
    const std::string key = fmt::format("beat/{}", rank);
    beats.push_back(keys.check({key}) ? text_at(keys, key) : "");
  }
  return beats;
}

}  // namespace

// The question goes to another thread and may outlive the one who asked.
template <class Question>
auto Store::ask(Question question, milliseconds limit) {
  using Answer = decltype(question(*keys_));
  const auto answer = std::make_shared<std::optional<Answer>>();
  calls_->make(
      [answer, keys = keys_, question = std::move(question)] { answer->emplace(question(*keys)); },
      limit);
  return *std::move(*answer);
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
  const auto arrivals = [size = place.size](c10d::Store& keys) {
    return absent(keys, "arrived", size);
  };
  try {
    while (!(missing = store->ask(arrivals, timeout)).empty()) {
      if (interrupted()) throw Interrupted(stopped);
      if (Clock::now() > deadline) break;
      std::this_thread::sleep_for(milliseconds(20));
    }
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    if (interrupted()) throw Interrupted(stopped);
    throw CommunicationError(fmt::format(
        "the store at {} went away while {} had not arrived: {}; is its host down, or a link?",
        where, missing.empty() ? "other ranks" : print_ranks(missing), first_line(error)));
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
  return ask([enough](c10d::Store& keys) {
    double shortest = std::numeric_limits<double>::infinity();
    for (int i = 0; i < 10 && shortest > enough; ++i) {
      const auto began = Clock::now();
      keys.check({"round trip"});
      shortest = std::min(shortest, std::chrono::duration<double>(Clock::now() - began).count());
    }
    return shortest;
  });
}

// Not given up where it takes longer: who is missing is asked next, behind it.
void Store::report_failure(int rank, std::int64_t number) {
  const auto over = calls_->begin([=, keys = keys_] {
    keys->set(fmt::format("failed/{}", rank), bytes(std::to_string(number)));
    keys->set("failure", bytes("yes"));
  });
  over.wait_for(std::min<milliseconds>(limit_, kLastWords));
}

void Store::beat(int rank, const std::string& text) {
  calls_->begin([=, keys = keys_] { keys->set(fmt::format("beat/{}", rank), bytes(text)); });
}

std::vector<std::string> Store::beats(int size) {
  return ask([size](c10d::Store& keys) { return all_beats(keys, size); });
}

std::future<void> Store::ask_for_signs(const Place& place, std::int64_t number,
                                       const std::string& form, bool beats,
                                       std::shared_ptr<Signs> answer) {
  return calls_->begin([=, keys = keys_, rank = place.rank, size = place.size] {
    answer->failure = keys->check({"failure"});
    if (!form.empty() && keys->check({form_key(number)})) {
      declare_form(*keys, rank, number, form);
      answer->other_form = find_other_form(*keys, size, number, form);
    }
    if (beats) answer->beats = all_beats(*keys, size);
  });
}

void Store::declare(int rank, std::int64_t number, const std::string& form) {
  ask([=](c10d::Store& keys) {
    declare_form(keys, rank, number, form);
    return true;
  });
}

std::optional<std::pair<int, std::string>> Store::other_form(int size, std::int64_t number,
                                                             const std::string& form) {
  return ask([=](c10d::Store& keys) { return find_other_form(keys, size, number, form); });
}

std::set<int> Store::unreported(int size) {
  return ask([size](c10d::Store& keys) { return absent(keys, "failed", size); });
}

void Store::landed(int size, milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  const auto all_have = [size](std::int64_t own) {
    return [=](c10d::Store& keys) {
      return keys.add("landed", own) >= size || keys.check({"failure"});
    };
  };
  bool over = ask(all_have(1), patience);
  while (!over && !interrupted() && Clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(5));
    over = ask(all_have(0), patience);
  }
}

void Store::part(const Place& place, const std::set<int>& silent, milliseconds patience) {
  const auto own = fmt::format("parted/{}", place.rank);
  const auto others = [own, size = place.size](c10d::Store& keys) {
    keys.set(own, bytes("yes"));
    return absent(keys, "parted", size);
  };
  const bool hosts = place.rank == 0 && !place.store_elsewhere;
  const auto deadline = Clock::now() + patience;
  while (ask(others) != silent && hosts && Clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(20));
  }
}

}  // namespace entrain
