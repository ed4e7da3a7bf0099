#include "entrain/comm/launch.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>

#include "entrain/comm/guard.h"
#include "entrain/comm/launched_rank.h"
#include "entrain/comm/rank_command.h"
#include "entrain/comm/store.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"

namespace entrain {
namespace {

using LaunchClock = std::chrono::steady_clock;

constexpr auto kGrace = std::chrono::seconds(5);      // from SIGTERM to SIGKILL
constexpr auto kLastGrace = std::chrono::seconds(1);  // to be reaped after that
constexpr auto kHearsay = std::chrono::seconds(2);    // in which the cause of a lost peer shows

// "rank 2" or "rank 2 on node1".
std::string name_of(const Seat& seat) {
  return fmt::format("rank {}{}{}", seat.rank, seat.host.empty() ? "" : " on ", seat.host);
}

class Launcher {
 public:
  explicit Launcher(const LaunchOptions& options) : options_(options), commands_(options) {}

  int run() {
    options_.hosts.empty() ? start_here() : start_on_hosts();
    // What outlives its rank may hold its output open.
    while (running() > 0 || (anyone_speaks() && kills_ < 2)) {
      pass_interrupt();
      pump();
      reap();
      judge();
      stop_stragglers();
    }
    if (interrupted()) return static_cast<int>(Failure::interrupted);
    if (!cause_) return 0;
    print_last_lines();
    return cause_->exit_code();
  }

 private:
  void start_here();
  void start_on_hosts();
  bool take_port(const std::string& line);
  void pump();
  void reap();
  void judge();
  void blame(LaunchedRank& rank);
  void pass_interrupt();
  void stop_stragglers();
  static void leave(LaunchedRank& rank);
  void print_last_lines();
  void send_all(int signal) {
    for (const auto& rank : ranks_) rank->send(signal);
  }
  std::ptrdiff_t running() const {
    return std::count_if(ranks_.begin(), ranks_.end(), [](const auto& r) { return r->running(); });
  }
  bool anyone_speaks() const {
    return std::any_of(ranks_.begin(), ranks_.end(), [](const auto& r) { return r->speaks(); });
  }

  const LaunchOptions& options_;
  RankCommands commands_;
  std::optional<Store> store_;
  std::vector<std::unique_ptr<LaunchedRank>> ranks_;
  std::vector<LaunchedRank*> failures_;  // in the order in which they came
  LaunchedRank* cause_ = nullptr;
  LaunchClock::time_point first_failure_, blamed_;
  bool interrupt_passed_ = false;
  int kills_ = 0;
};

void Launcher::start_here() {
  store_ = Store::host(static_cast<std::uint16_t>(options_.port));
  for (const Seat& seat : commands_.seats()) {
    ranks_.push_back(std::make_unique<LaunchedRank>(seat, commands_.here(seat, store_->port()),
                                                    LaunchedRank::Reach::direct,
                                                    options_.prefixed));
  }
}

// All connect at once; what they run is said when the guard of rank 0 has said where they meet.
void Launcher::start_on_hosts() {
  for (const Seat& seat : commands_.seats()) {
    ranks_.push_back(std::make_unique<LaunchedRank>(
        seat, commands_.to_guard(seat), LaunchedRank::Reach::guarded, options_.prefixed));
  }
  LaunchedRank& first = *ranks_.front();
  first.out().take([this](const std::string& line) { return take_port(line); });
  first.give(commands_.order(first.seat(), std::nullopt));
}

bool Launcher::take_port(const std::string& line) {
  const std::optional<int> port = store_port_in(line);
  if (!port) return false;
  for (const auto& rank : ranks_) {
    if (!rank->ordered()) rank->give(commands_.order(rank->seat(), port));
  }
  return true;
}

void Launcher::pump() {
  std::vector<Relay*> relays;
  std::vector<pollfd> streams;
  for (const auto& rank : ranks_) {
    rank->flush();
    for (Relay* relay : {&rank->out(), &rank->err()}) {
      relays.push_back(relay);
      streams.push_back({relay->descriptor(), POLLIN, 0});  // poll passes over -1
    }
  }
  if (poll(streams.data(), streams.size(), 50) <= 0) return;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    if (streams[i].revents != 0) relays[i]->pump();
  }
}

void Launcher::reap() {
  for (const auto& rank : ranks_) {
    if (!rank->ends() || !rank->failed()) continue;
    if (failures_.empty()) first_failure_ = LaunchClock::now();
    failures_.push_back(rank.get());
  }
  LaunchedRank& first = *ranks_.front();
  if (first.guarded() && running() == (first.running() ? 1 : 0)) first.release_store();
}

// The first failure is the cause, and what follows its consequence; but a rank that lost a peer may
// be reaped before that peer.
void Launcher::judge() {
  if (cause_ || failures_.empty() || interrupted()) return;
  const auto own = std::find_if(failures_.begin(), failures_.end(),
                                [](const LaunchedRank* rank) { return !rank->lost_a_peer(); });
  if (own != failures_.end()) return blame(**own);
  if (running() == 0 || LaunchClock::now() > first_failure_ + kHearsay) blame(*failures_.front());
}

void Launcher::blame(LaunchedRank& rank) {
  cause_ = &rank;
  blamed_ = LaunchClock::now();
  fmt::print(stderr, "entrain launch: {} ended first, with {}; ending the others\n",
             name_of(rank.seat()), rank.how_it_ended());
  send_all(SIGTERM);
}

void Launcher::pass_interrupt() {
  if (!interrupted() || interrupt_passed_) return;
  interrupt_passed_ = true;
  send_all(SIGINT);
}

// A guard gets as long again as a rank, for it has to end its rank.
void Launcher::stop_stragglers() {
  if (!cause_) return;
  const auto grace = kills_ < 2 ? (kills_ + 1) * kGrace : 2 * kGrace + kLastGrace;
  if (LaunchClock::now() < blamed_ + grace) return;
  ++kills_;
  if (kills_ == 1) return send_all(SIGKILL);
  for (const auto& rank : ranks_) kills_ == 2 ? rank->cut() : leave(*rank);
}

// What the kernel does not end, as it waits for a disk or is frozen, must not hold us.
void Launcher::leave(LaunchedRank& rank) {
  if (!rank.running()) return;
  fmt::print(stderr, "entrain launch: {} does not end even by SIGKILL; it is left behind\n",
             name_of(rank.seat()));
  rank.leave();
}

void Launcher::print_last_lines() {
  const auto& lines =
      cause_->err().last_lines().empty() ? cause_->out().last_lines() : cause_->err().last_lines();
  fmt::print(stderr, "entrain launch: the cause was {}, with {}{}\n", name_of(cause_->seat()),
             cause_->how_it_ended(), lines.empty() ? "; it said nothing" : "; its last lines:");
  for (const std::string& line : lines) fmt::print(stderr, "  {}\n", line);
}

}  // namespace

int launch(const LaunchOptions& options) {
  std::signal(SIGPIPE, SIG_IGN);  // whoever reads our output may go
  return Launcher(options).run();
}

}  // namespace entrain
