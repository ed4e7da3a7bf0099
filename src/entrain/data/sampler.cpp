#include "entrain/data/sampler.h"

#include <algorithm>
#include <utility>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"

namespace entrain {
namespace {

std::int64_t quotient_up(std::int64_t a, std::int64_t b) { return a / b + (a % b != 0); }

}  // namespace

Sampler::Sampler(Shards shards, std::int64_t batch, std::uint64_t seed)
    : shards_(std::move(shards)), batch_(batch), seed_(seed), orders_(shards_.size()) {
  if (batch < 1) throw UsageError(fmt::format("batch = {}: must be at least 1", batch));
  ENTRAIN_CHECK(!shards_.empty());
  const auto [smallest, largest] =
      std::minmax_element(shards_.begin(), shards_.end(),
                          [](const auto& a, const auto& b) { return a.size() < b.size(); });
  ENTRAIN_CHECK(!smallest->empty());
  for (const auto& shard : shards_) samples_ += static_cast<std::int64_t>(shard.size());
  equal_ = largest->size() - smallest->size() <= 1;
  if (!equal_ && batch > samples_)
    throw UsageError(fmt::format(
        "batch = {}: more than all {} samples; workers whose shares differ in size take full "
        "batches, so choose a smaller one",
        batch, samples_));
  const std::int64_t size = equal_ ? static_cast<std::int64_t>(smallest->size()) : samples_;
  steps_per_epoch_ = quotient_up(size, equal_ ? batch : batch * workers());
}

std::int64_t Sampler::samples_seen(std::int64_t steps) const {
  const std::int64_t all_batches = batch_ * workers();
  if (!equal_) return steps * all_batches;
  // Only the last batch of an epoch is not a full one.
  return steps / steps_per_epoch_ * samples_ + steps % steps_per_epoch_ * all_batches;
}

std::span<const std::int64_t> Sampler::batch(std::int64_t epoch, std::int64_t step,
                                             int worker) const {
  ENTRAIN_CHECK(worker >= 0 && worker < workers());
  ENTRAIN_CHECK(epoch >= 0 && step >= 0 && step < steps_per_epoch_);
  if (!equal_) return joined((epoch * steps_per_epoch_ + step) * batch_, worker);
  const auto samples = pass(epoch, worker);
  const std::size_t begin = step * batch_;
  return step + 1 < steps_per_epoch_ ? samples.subspan(begin, batch_) : samples.subspan(begin);
}

std::span<const std::int64_t> Sampler::pass(std::int64_t number, int worker) const {
  Order& order = orders_[worker];
  if (order.pass != number) {
    order.samples = shards_[worker];
    Stream(seed_, Purpose::shuffle, number, worker).shuffle(order.samples);
    order.pass = number;
  }
  return order.samples;
}

/// A batch from place `begin` of the worker's passes joined.
std::span<const std::int64_t> Sampler::joined(std::int64_t begin, int worker) const {
  const auto size = static_cast<std::int64_t>(shards_[worker].size());
  const auto samples = pass(begin / size, worker);
  if (begin % size + batch_ <= size) return samples.subspan(begin % size, batch_);
  std::vector<std::int64_t>& crossing = orders_[worker].crossing;
  crossing.clear();
  for (const std::int64_t end = begin + batch_; begin < end;) {
    const auto part = pass(begin / size, worker).subspan(begin % size);
    const auto count = std::min(static_cast<std::int64_t>(part.size()), end - begin);
    crossing.insert(crossing.end(), part.begin(), part.begin() + count);
    begin += count;
  }
  return crossing;
}

}  // namespace entrain
