#include "entrain/comm/mpi.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <limits>
#include <optional>

#include "entrain/comm/direct_mean.h"
#include "entrain/comm/lossless_mean.h"
#include "entrain/comm/lost_peer.h"
#include "entrain/comm/mpi_channel.h"
#include "entrain/comm/ring_mean.h"
#include "entrain/comm/row_exchange.h"
#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"

namespace entrain {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kMpiRingFrom = 4 << 20;  // bytes (docs/results/comm.md)
constexpr int kMpiRoundTrips = 10;
constexpr std::chrono::seconds kEnding(2);

// The bytes of all processes, in the order of ranks: first how many they are, then they themselves.
std::vector<std::string> gather_bytes(Channel& channel, const Members& members,
                                      const std::string& bytes) {
  const auto count = [](std::size_t n) { return static_cast<std::int64_t>(n); };
  at::Tensor own = at::empty({count(bytes.size())}, at::kByte);
  std::memcpy(own.data_ptr(), bytes.data(), bytes.size());
  const at::Tensor lengths = at::empty({members.size}, at::kDouble);
  const at::Tensor length = at::full({1}, static_cast<double>(bytes.size()), at::kDouble);
  std::vector<Piece> lengths_in, lengths_out, in, out;
  for (int peer = 0; peer < members.size; ++peer) {
    lengths_in.push_back({peer, lengths.narrow(0, peer, 1)});
    lengths_out.push_back({peer, length});
    out.push_back({peer, own});
  }
  channel.exchange(lengths_in, lengths_out);
  for (int peer = 0; peer < members.size; ++peer) {
    in.push_back({peer, at::empty({lengths[peer].item<std::int64_t>()}, at::kByte)});
  }
  channel.exchange(in, out);
  std::vector<std::string> texts;
  for (const Piece& piece : in) {
    texts.emplace_back(static_cast<const char*>(piece.values.data_ptr()), piece.values.nbytes());
  }
  return texts;
}

class Mpi : public Communicator {
 public:
  Mpi(const Place& place, const TransportOptions& options)
      : options_(options),
        world_(MpiWorld::join(options.join_timeout, options.patience)),
        channel_(world_, lost_, options.patience) {
    require_place(place);
    const double round_trip = longest_round_trip();
    long_links_ = round_trip > kLongRoundTrip;
    channel_.pace(round_trip < kShortRoundTrip);
    bytes_at_start_ = channel_.bytes_sent();
  }

  // Exchanges that nobody waits for any more still end, if all ranks launched them.
  ~Mpi() override {
    const std::future<void> ended = world_.push([] {});
    const bool whole = in_flight_ == 0 || (std::uncaught_exceptions() == 0 &&
                                           ended.wait_for(kEnding) == std::future_status::ready);
    if (!whole) Mpi::abandon();
    ended.wait();
  }

  int rank() const override { return world_.rank(); }
  int size() const override { return world_.size(); }
  int local_workers() const override { return options_.local_workers; }
  std::int64_t wire_bytes_sent() const override { return channel_.bytes_sent() - bytes_at_start_; }

  std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) override;
  std::unique_ptr<Exchange> launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                       std::shared_ptr<const Mixing> mixing) override;
  std::unique_ptr<Exchange> launch(Job job) override;
  std::vector<std::string> gather(const std::string& bytes) override;
  std::optional<std::int64_t> bucket_bytes() const override {
    return bucket_bytes_for(size(), long_links_);
  }
  std::shared_ptr<LosslessMean> lossless_mean() const override {
    return lossless_mean_for(options_, false);
  }
  void abandon() noexcept override;

  void finish(std::shared_future<void>& over);

 private:
  void require_place(const Place& place) const;
  double longest_round_trip();

  TransportOptions options_;
  MpiWorld& world_;
  std::atomic<bool> lost_{false};
  MpiChannel channel_;
  bool long_links_ = false;
  std::int64_t bytes_at_start_ = 0;
  std::int64_t exchanges_ = -2;  // -1 and 0: those of longest_round_trip()
  int in_flight_ = 0;
};

class MpiExchange : public Exchange {
 public:
  MpiExchange(Mpi& comm, std::shared_future<void> over, std::shared_ptr<const double> finished_at)
      : comm_(comm), over_(std::move(over)), finished_at_(std::move(finished_at)) {}

  bool done() override { return over_.wait_for(milliseconds(0)) == std::future_status::ready; }
  void wait() override { comm_.finish(over_); }
  double finished_at() const override { return *finished_at_; }

 private:
  Mpi& comm_;
  std::shared_future<void> over_;
  std::shared_ptr<const double> finished_at_;
};

void Mpi::require_place(const Place& place) const {
  if (rank() == place.rank && size() == place.size) return;
  throw UsageError(fmt::format(
      "{} started rank {} of {}, but MPI takes it for rank {} of {}: this program is linked with "
      "another MPI than that of the launcher (for srun: --mpi=pmix)",
      place.launcher, place.rank, place.size, rank(), size()));
}

// Each message waits for that of the neighbour, so that the slowest link sets the pace. All ranks
// measure, also those that were told: they must agree, as the sums chosen by it have other bits.
double Mpi::longest_round_trip() {
  const bool measured = options_.links == Links::measured;
  const double told = options_.links == Links::long_ ? kLongRoundTrip * 2 : 0;
  double own = measured ? std::numeric_limits<double>::infinity() : told;
  Job job = {.form = "a round trip", .run = [this, &own, measured](Channel& channel) {
               const int next = (rank() + 1) % size(), previous = (rank() + size() - 1) % size();
               at::Tensor in = at::zeros({1}), out = at::zeros({1});
               for (int i = 0; i < kMpiRoundTrips; ++i) {
                 const double began = now();
                 channel.exchange({{previous, in}}, {{next, out}});
                 channel.exchange({{next, in}}, {{previous, out}});
                 if (measured) own = std::min(own, now() - began);
               }
             }};
  Mpi::launch(std::move(job))->wait();
  double longest = 0;
  for (const std::string& one : Mpi::gather(fmt::format("{}", own))) {
    longest = std::max(longest, std::stod(one));
  }
  return longest;
}

std::unique_ptr<Exchange> Mpi::launch(Job job) {
  const std::int64_t number = ++exchanges_;
  ++in_flight_;
  const auto finished_at = std::make_shared<double>(0);
  auto over = world_.push([this, number, finished_at, job = std::move(job)] {
    channel_.run(number, job.form, [&] { job.run(channel_); });
    *finished_at = now();
  });
  return std::make_unique<MpiExchange>(*this, std::move(over), finished_at);
}

std::unique_ptr<Exchange> Mpi::launch_mean(const at::Tensor& rows, const at::Tensor& mean) {
  check_exchange(rows, mean, local_workers(), 1);
  const bool fast = options_.sums == Sums::fast;
  const auto bytes = static_cast<std::int64_t>(mean.nbytes());
  const bool ring = fast && !long_links_ && size() > 1 && bytes >= kMpiRingFrom;
  return launch({.form = form_of(fast ? "sum" : "reproducible sum", rows),
                 .run = [this, rows, mean, ring](Channel& channel) {
                   const at::NoGradGuard no_grad;
                   if (ring) return ring_mean(channel, members(), rows, mean);
                   direct_mean(channel, members(), rows, options_.sums, mean);
                 }});
}

std::unique_ptr<Exchange> Mpi::launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                          std::shared_ptr<const Mixing> mixing) {
  check_exchange(rows, mixed, local_workers(), local_workers());
  return launch(
      {.form = form_of("mixing", rows), .run = [this, rows, mixed, mixing](Channel& channel) {
         mix(channel, members(), *mixing, rows, mixed);
       }});
}

std::vector<std::string> Mpi::gather(const std::string& bytes) {
  std::vector<std::string> all;
  Mpi::launch({.form = "a gathering",
               .run = [this, &bytes,
                       &all](Channel& channel) { all = gather_bytes(channel, members(), bytes); }})
      ->wait();
  return all;
}

// It is mpirun that ends a job whose rank has died.
void Mpi::finish(std::shared_future<void>& over) {
  while (over.wait_for(milliseconds(100)) != std::future_status::ready) {
    if (!interrupted()) continue;
    Mpi::abandon();
    over.wait();  // soon; until then it uses what the caller owns
    throw Interrupted("interrupted while waiting for the other ranks");
  }
  try {
    over.get();
  } catch (const std::exception&) {
    Mpi::abandon();  // also from the constructor
    throw;
  }
  --in_flight_;
}

void Mpi::abandon() noexcept {
  if (lost_.exchange(true)) return;
  world_.give_up();
  try {
    const MpiNote note = {MpiNote::Kind::gave_up, channel_.communicator(), exchanges_};
    world_.push([&world = world_, note] { world.notes().tell(note); });
  } catch (const std::exception&) {
  }
}

}  // namespace

bool has_mpi() { return true; }

void require_mpi() {}

std::unique_ptr<Communicator> mpi_communicator(const Place& place,
                                               const TransportOptions& options) {
  return std::make_unique<Mpi>(place, options);
}

}  // namespace entrain
