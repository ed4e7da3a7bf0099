#include "entrain/comm/gloo.h"

#include <future>
#include <thread>

#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"

namespace entrain {
namespace {

c10::intrusive_ptr<c10d::ProcessGroupGloo::Options> gloo_options(const GlooLinks& links) {
  auto options =
      c10d::ProcessGroupGloo::Options::create(std::chrono::hours(24));  // ours is Watch's
  options->threads = 2;
  options->devices.assign(links.connections,
                          c10d::ProcessGroupGloo::createDeviceForHostname(links.own_address));
  return options;
}

// On a thread of its own, as Gloo waits for peers without an end that we could choose: one that met
// at the store and then died, or that a firewall hides. The thread is left behind then.
std::future<Gloo> begin_connecting(const Place& place, const c10::intrusive_ptr<c10d::Store>& table,
                                   const GlooLinks& links) {
  const auto made = std::make_shared<std::promise<Gloo>>();
  std::thread([made, table, options = gloo_options(links), rank = place.rank, size = place.size] {
    try {
      made->set_value(c10::make_intrusive<c10d::ProcessGroupGloo>(table, rank, size, options));
    } catch (...) {
      made->set_exception(std::current_exception());
    }
  }).detach();
  return made->get_future();
}

}  // namespace

// c10d says by an exception that a slice of waiting is over; the work may be done by the time it is
// caught.
Wait waiter(const GlooWork& work) {
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

void when_over(const GlooWork& work, std::function<void()> then) {
  work->getFuture()->addCallback([then = std::move(then)](c10::ivalue::Future&) { then(); });
}

Gloo connect_gloo(const Place& place, const c10::intrusive_ptr<c10d::Store>& table,
                  const GlooLinks& links) {
  std::future<Gloo> group = begin_connecting(place, table, links);
  const auto deadline = std::chrono::steady_clock::now() + links.timeout;
  std::string why = "no answer";
  while (group.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready) {
    if (interrupted() || std::chrono::steady_clock::now() >= deadline) break;
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
      place.rank, place.address, place.port, links.timeout.count() / 1000.0, why));
}

void park(const std::vector<Gloo>& groups) {
  static auto* const parked = new std::vector<Gloo>;  // reachable, and never destroyed
  parked->insert(parked->end(), groups.begin(), groups.end());
}

}  // namespace entrain
